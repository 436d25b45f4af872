// Submitted mail: smtpd(8) says who sends what to whom, the rules of table `submission` say what
// the sender demands, the engine whether the recipient is sure to be reached that way, and this
// says it in words that the sender can act on.
//
// With policy_context submission-client the client's own connection alone is judged: for mail to
// recipients of this host, who aren't reached by SMTP.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "src/engine/submit.h"
#include "src/jobs/decider.h"
#include "src/model/mail_oracle.h"

namespace jobs {

// What is written down of a mail that was not simply let pass.
struct SubmissionRecord {
  std::string_view rule;  // its sender column
  model::Otherwise action = model::Otherwise::Observe;
  engine::Judgement judgement = engine::Judgement::Met;
  std::string_view why;  // one clause
  bool is_enforced = true;
};

inline constexpr std::string_view kClientContext = "submission-client";

class SubmissionDesk final : public model::MailOracle {
 public:
  using Record = std::function<void(const model::MailFacts&, const SubmissionRecord&)>;

  // The decider outlives the desk. `record` may be empty.
  explicit SubmissionDesk(Decider& decider, Record record = {})
      : decider_(decider), record_(std::move(record)) {}

  model::Ruling ruling_for(const model::MailFacts& facts) override;

 private:
  Decider& decider_;
  Record record_;
};

}  // namespace jobs
