// How mail travelled, as counted: what was seen of one destination in one hour, and what becomes of
// it once each delivery is counted once. Data only; which source is believed is decided in engine/.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/model/cause.h"
#include "src/model/evidence.h"

namespace model {

// Deliveries that one source saw end alike.
struct MailCount {
  Source source = Source::Outcome;  // Outcome or Maillog
  Outcome outcome;
  bool is_trusted = false;
  std::int64_t count = 0;
};

// All that was seen of the deliveries to one destination in one hour of the clock. The map
// `outcome` and the mail log may both have seen the same ones.
struct HourOfMail {
  std::string view;
  std::string destination;
  std::int64_t hour = 0;  // its first second
  std::vector<MailCount> counts;
};

// Deliveries, each once. A try that was put off and comes again is a delivery of its own.
struct Traffic {
  std::int64_t authenticated = 0;  // TLS, and the peer is who the policy asked for
  std::int64_t encrypted = 0;      // TLS, whose certificate it was is not confirmed
  std::int64_t clear = 0;          // the mail went in clear
  std::int64_t unknown = 0;        // the mail went, nobody saw how
  std::int64_t deferred = 0;       // for TLS: the mail waits, or was returned
  std::int64_t untrusted = 0;      // of all of them: told by a source that is only shown
  // By Cause: of those deferred; at Plaintext those in clear after TLS had failed.
  std::array<std::int64_t, kCauses.size()> causes{};

  [[nodiscard]] std::int64_t total() const {
    return authenticated + encrypted + clear + unknown + deferred;
  }
  [[nodiscard]] std::int64_t count(Cause cause) const {
    return causes.at(static_cast<std::size_t>(cause));
  }
  Traffic& operator+=(const Traffic& more) {
    authenticated += more.authenticated;
    encrypted += more.encrypted;
    clear += more.clear;
    unknown += more.unknown;
    deferred += more.deferred;
    untrusted += more.untrusted;
    for (std::size_t i = 0; i < causes.size(); ++i) causes.at(i) += more.causes.at(i);
    return *this;
  }
  bool operator==(const Traffic&) const = default;
};

}  // namespace model
