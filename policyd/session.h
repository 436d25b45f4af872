// One policy delegation connection (smtpd/smtpd_check.c check_policy_service): attributes in, one
// action out. Until rules exist every well-formed request gets DUNNO.
#pragma once

#include <cstdint>

#include "policyd/attributes.h"
#include "src/net/session.h"

namespace policyd {

struct Counters {
  std::uint64_t answers = 0;
  std::uint64_t malformed = 0;
};

class Session final : public net::Session {
 public:
  // The counters outlive the session.
  explicit Session(Counters& counters) : counters_(counters) {}

  // Malformed: hang up without an answer, so that Postfix does what its default_action says.
  Step receive(std::string_view in, std::string& out) override;

 private:
  Counters& counters_;
};

}  // namespace policyd
