// What is written down of submitted mail. Data only.
#pragma once

#include <cstdint>
#include <string>

namespace model {

// One question of smtpd(8), about one recipient, that a rule did not simply let pass.
struct SubmissionDecision {
  std::int64_t at = 0;    // seconds since the epoch
  std::string rule;       // the row's sender
  std::string step;       // of the precedence
  std::string client;     // address
  std::string sasl_user;  // empty: none
  std::string sender;
  std::string recipient;
  std::string protocol;  // of the client's connection; empty: plaintext
  std::string required;
  std::string got;
  std::string action;  // reject, defer, hold, warn, observe; fault: the rule can't be used
  bool operator==(const SubmissionDecision&) const = default;
};

}  // namespace model
