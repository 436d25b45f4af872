// Submitted mail: smtpd(8) says who sends what to whom, the rules of table `submission` say what
// the sender demands, the engine whether the recipient is sure to be reached that way, and this
// says it in words that the sender can act on.
//
// With policy_context submission-client the client's own connection alone is judged: for mail to
// recipients of this host, who aren't reached by SMTP.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/engine/submit.h"
#include "src/jobs/decider.h"
#include "src/model/mail_oracle.h"
#include "src/model/submission_record.h"

namespace jobs {

inline constexpr std::string_view kClientContext = "submission-client";

class SubmissionDesk final : public model::MailOracle {
 public:
  // Decisions between two takings; what comes beyond that is counted as dropped.
  static constexpr std::size_t kMostWaiting = 5'000;

  // The decider outlives the desk.
  explicit SubmissionDesk(Decider& decider) : decider_(decider) {}

  model::Ruling ruling_for(const model::MailFacts& facts) override;

  // What was not simply let pass, since the last taking.
  std::vector<model::SubmissionDecision> take_decisions();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void note(model::SubmissionDecision decision, const model::MailFacts& facts);

  Decider& decider_;
  std::vector<model::SubmissionDecision> decisions_;
  std::uint64_t dropped_ = 0;
};

}  // namespace jobs
