// The world of a scenario: a clock, a policy, role `answer` with its real parts (policy image,
// Decider, Feedback), and a `store` that acknowledges at once, late or never.
//
// A second passes at a time, with a tick of role `answer` in each.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/jobs/decider.h"
#include "src/jobs/feedback.h"

namespace scenario {

// Begins at kStart; `wall` may jump, `steady` never does.
inline constexpr std::int64_t kStart = 1'800'000'000;
class StoryClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(kStart + passed + jumped));
  }
  [[nodiscard]] base::SteadyPoint steady() const override {
    return base::SteadyPoint(std::chrono::seconds(kStart + passed));
  }
  std::int64_t passed = 0;  // seconds since the story began: what stands left in a scenario
  std::int64_t jumped = 0;
};

// What came of a second, or of an event.
struct Decided {
  std::int64_t at = 0;  // seconds since the story began
  std::string destination;
  model::Decision decision;
};
struct Alarmed {
  std::int64_t at = 0;
  std::string what;
  std::string destination;
  bool is_over = false;
};

// Role `store`, as far as `answer` sees it.
class Store final : public jobs::Feedback::Outlet {
 public:
  enum class Mood : std::uint8_t {
    Prompt,  // commits and acknowledges after `delay` seconds
    Silent,  // takes proposals and never says that they are committed
    Gone,    // can't be reached
  };
  explicit Store(const StoryClock& clock) : clock_(clock) {}

  bool propose(const wire::Proposal& proposal) override;
  void alarm(std::string_view what, std::string_view destination, std::string_view text,
             bool is_over) override;
  // Commits what is due and returns the ids.
  std::vector<std::uint64_t> commit_due();
  // What was proposed and not committed is lost with the process.
  void die();

  Mood mood = Mood::Prompt;
  std::int64_t delay = 0;
  model::Moment saved;
  std::map<std::pair<std::string, std::string>, model::DestinationState> states;
  std::vector<model::Decision> ledger;
  std::vector<Decided> decided;  // and alarms: since somebody last looked
  std::vector<Alarmed> alarms;

 private:
  const StoryClock& clock_;
  std::deque<std::pair<std::int64_t, wire::Proposal>> queue_;
  std::set<std::uint64_t> seen_;
  std::set<std::uint64_t> committed_;
};

// The admin's tables.
struct Policy {
  struct Row {
    std::string profile;
    model::RowMode mode = model::RowMode::Enforce;
    std::int64_t expires_at = 0;
  };
  std::map<std::string, model::Profile> profiles;
  std::map<std::string, Row> rows;
  base::Result<std::unique_ptr<image::Image>> compile() const;
};

class World {
 public:
  World() : store(clock) { start(); }

  // Lets time pass until `at`.
  void pass_until(std::int64_t at);
  // Hands over what `store` acknowledges now.
  void deliver();
  base::Result<void> publish();

  // A new role `answer`: it has the policy, and what is remembered comes later.
  void start();
  void stop() { feedback_.reset(); }
  [[nodiscard]] bool is_up() const { return feedback_ != nullptr; }
  void load_state();
  void keep_state() { kept_ = std::pair(store.states, store.saved); }
  void load_kept_state();

  jobs::Decider& decider() { return *decider_; }
  jobs::Feedback& feedback() { return *feedback_; }

  StoryClock clock;
  Store store;
  Policy policy;
  jobs::FreezeLimits limits;
  std::size_t table = jobs::DestinationTable::kMost;
  model::RowMode mode = model::RowMode::Enforce;

 private:
  using Base = std::pair<decltype(Store::states), model::Moment>;
  void load(jobs::Feedback::Base kind, const Base& base);

  std::unique_ptr<jobs::Decider> decider_;
  std::unique_ptr<jobs::Feedback> feedback_;
  Base kept_;
};

}  // namespace scenario
