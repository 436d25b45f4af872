// A freeze that checks of many hosts ask for, because our own network strips STARTTLS.
#include <vector>

#include "src/jobs/feedback.h"
#include "tests/unit/catch.h"

namespace {

struct StillClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(
        std::chrono::seconds(1'000'000) +
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return at; }
  base::SteadyPoint at{};
};

struct NoRules final : jobs::RuleBook {
  std::optional<engine::Rules> rules_for(std::string_view /*view*/,
                                         const model::Key& /*key*/) override {
    return std::nullopt;
  }
};

struct Heard final : jobs::Feedback::Outlet {
  bool propose(const wire::Proposal& proposal) override {
    proposals.push_back(proposal);
    return true;
  }
  void alarm(std::string_view what, std::string_view /*destination*/, std::string_view text,
             bool is_over) override {
    alarms.push_back(std::string(what) + (is_over ? " over: " : ": ") + std::string(text));
  }
  std::vector<wire::Proposal> proposals;
  std::vector<std::string> alarms;
};

struct Desk {
  StillClock clock;
  NoRules rules;
  Heard heard;
  jobs::Feedback feedback{clock, rules, heard};
};

}  // namespace

TEST_CASE("a fault of our own network freezes, is written down, and is told of once") {
  Desk desk;
  desk.feedback.take_own_fault(true);
  desk.feedback.take_own_fault(true);
  CHECK(desk.feedback.is_frozen());
  REQUIRE(desk.heard.alarms.size() == 1);
  CHECK(desk.heard.alarms[0].starts_with("freeze: checks of many unrelated hosts"));
  REQUIRE(desk.heard.proposals.size() == 1);
  CHECK(desk.heard.proposals[0].decisions[0].kind == model::DecisionKind::Freeze);
  desk.feedback.take_own_fault(false);
  CHECK_FALSE(desk.feedback.is_frozen());
  CHECK(desk.heard.alarms.size() == 2);
}

TEST_CASE("such a freeze lifts by itself where nobody says so any more") {
  Desk desk;
  desk.feedback.take_own_fault(true);
  desk.clock.at += std::chrono::seconds(jobs::Feedback::kOwnFaultHolds - 1);
  desk.feedback.tick();
  CHECK(desk.feedback.is_frozen());
  desk.clock.at += std::chrono::seconds(1);
  desk.feedback.tick();
  CHECK_FALSE(desk.feedback.is_frozen());
}
