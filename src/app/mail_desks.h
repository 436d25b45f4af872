// The part of role `answer` that decides about incoming and submitted mail: the gate that policyd's
// sessions ask, the desks behind it, and the records that go to `store`.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "policyd/malformed_note.h"
#include "policyd/session.h"
#include "src/app/store_queue.h"
#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/image/reader.h"
#include "src/jobs/inbound_desk.h"
#include "src/jobs/mail_gate.h"
#include "src/jobs/submission_desk.h"
#include "src/wire/role_message.h"

namespace app {

class MailDesks {
 public:
  using TellStore = StoreQueue::TellStore;

  // The time of day as far as it never goes back: rules end by it.
  using Now = std::function<base::sys_seconds()>;
  // The clock and the decider outlive the desks.
  MailDesks(const base::Clock& clock, jobs::Decider& decider, Now now, TellStore tell_store);

  // For new sessions; both outlive them.
  model::MailOracle& oracle() { return gate_; }
  policyd::Counters& counters() { return counters_; }

  // `image` is about to answer; it outlives the next install.
  void install(const image::Image& image) { inbound_.install(image.inbound_rules()); }
  void set_mode(model::RowMode mode) { inbound_.set_mode(mode); }
  void take_known(base::UniqueFd fd);

  // Hands to `store` what is to be written down, and says in the log what must be said. Call
  // several times a second.
  void flush();
  // Records that had no room in the desks.
  [[nodiscard]] std::uint64_t dropped() const { return inbound_.dropped() + submission_.dropped(); }

 private:
  class RuleClock final : public base::Clock {
   public:
    RuleClock(const base::Clock& clock, Now now) : clock_(clock), now_(std::move(now)) {}
    [[nodiscard]] base::sys_seconds now() const override { return now_(); }
    [[nodiscard]] base::SteadyPoint steady() const override { return clock_.steady(); }

   private:
    const base::Clock& clock_;
    Now now_;
  };

  RuleClock clock_;
  StoreQueue records_;
  policyd::Counters counters_;
  policyd::MalformedNote malformed_;
  jobs::InboundDesk inbound_;
  jobs::SubmissionDesk submission_;
  jobs::MailGate gate_;
};

}  // namespace app
