// Sends each question of smtpd to the desk that it is for: incoming mail or submitted mail. A desk
// that nobody has attached lets everything pass.
#pragma once

#include "src/model/mail_oracle.h"

namespace jobs {

class MailGate final : public model::MailOracle {
 public:
  // The desks outlive the gate.
  void attach_inbound(model::MailOracle& desk) { inbound_ = &desk; }
  void attach_submission(model::MailOracle& desk) { submission_ = &desk; }

  model::Ruling ruling_for(const model::MailFacts& facts) override {
    auto* desk = model::is_submission(facts) ? submission_ : inbound_;
    if (desk == nullptr || !facts.has_sender) return {};
    return desk->ruling_for(facts);
  }

 private:
  model::MailOracle* inbound_ = nullptr;
  model::MailOracle* submission_ = nullptr;
};

}  // namespace jobs
