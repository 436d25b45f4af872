// One policy delegation connection (smtpd/smtpd_check.c check_policy_service): attributes in, one
// action out. What the action is, the oracle says.
#pragma once

#include <cstdint>
#include <string_view>

#include "policyd/attributes.h"
#include "src/model/mail_oracle.h"
#include "src/net/session.h"

namespace policyd {

struct Counters {
  std::uint64_t answers = 0;
  std::uint64_t malformed = 0;
  std::string_view last_fault;  // of the last malformed request, for the log; static text
};

// What the request says, in the words of the seam.
model::MailFacts facts_of(const Request& request);

class Session final : public net::Session {
 public:
  // Both outlive the session.
  Session(model::MailOracle& oracle, Counters& counters) : oracle_(oracle), counters_(counters) {}

  // Malformed: hang up without an answer, so that Postfix does what its default_action says.
  Step receive(std::string_view in, std::string& out) override;

 private:
  model::MailOracle& oracle_;
  Counters& counters_;
};

}  // namespace policyd
