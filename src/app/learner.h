// What role `answer` learns from deliveries: takes outcomes from the sessions, keeps the states of
// destinations (jobs::Feedback), and talks to `store` and the parent about them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/app/report_reader.h"
#include "src/app/store_queue.h"
#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/jobs/decider.h"
#include "src/jobs/feedback.h"
#include "src/model/witness.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/role_message.h"

namespace app {

class Learner final : public model::Witness, public jobs::Feedback::Outlet {
 public:
  using TellStore = StoreQueue::TellStore;
  using TellParent = std::function<bool(wire::ToParent type, std::string_view payload)>;

  // All outlive the learner.
  Learner(net::Loop& loop, const base::Clock& clock, jobs::Decider& decider, TellStore tell_store,
          TellParent tell_parent);

  jobs::Feedback& feedback() { return feedback_; }
  // Begins to send and to look at the time.
  void start();

  // A state base, sealed; read in slices while look-ups go on.
  void take_base(jobs::Feedback::Base kind, base::UniqueFd fd);
  [[nodiscard]] bool is_reading() const { return static_cast<bool>(base_); }
  // Called when one is read to its end, or is of no use.
  void when_read(std::function<void()> act) { when_read_ = std::move(act); }
  void on_committed(std::string_view ids);
  void on_reset(std::string_view payload);
  void on_follow(std::string_view payload);
  void on_own_fault(std::string_view payload);
  void on_store_connected() { feedback_.propose_again(); }

  // What `ingest` reports.
  ReportReader& reports() { return reports_; }
  // Its own part of the figures.
  void describe(wire::AnswerStats& stats) const;
  // Sends what is counted, before the end.
  void finish() { send_counts(); }

  void asked(std::int64_t pid, std::string_view view, const model::Key& key) override;
  bool saw(std::string_view view, const model::Key& key, const model::Evidence& evidence) override;
  [[nodiscard]] bool is_followed(const model::Key& key) const override;
  void follow(std::string_view map, const model::Key& key, std::string_view reply) override;

  bool propose(const wire::Proposal& proposal) override;
  void alarm(std::string_view what, std::string_view destination, std::string_view text,
             bool is_over) override;

 private:
  void tick();
  void send_counts();
  void read_slice();
  void end_base(bool is_whole);

  const base::Clock& clock_;
  TellStore tell_store_;
  TellParent tell_parent_;
  StoreQueue counts_;
  jobs::Feedback feedback_;
  ReportReader reports_;
  std::vector<std::string> followed_;
  std::function<void()> when_read_ = [] {};
  base::UniqueFd base_;
  std::size_t base_at_ = 0;
  std::string base_rest_;  // the beginning of a record whose end is not read yet
  net::Timer ticker_;
  net::Timer reader_;
};

// The head of a state base.
std::string state_base_head(model::Moment saved);

}  // namespace app
