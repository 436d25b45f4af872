// Which of the shipped profiles would deliver today, from what a probe saw of one address, and of
// several together. Pure. The rules are smtp(8)'s own, as POSTFIX-FACTS section 3 has them and
// OBSERVED section 1 saw them; "nothing" is "unknown" and never a polite "no".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/probed_address.h"
#include "src/model/would_deliver.h"

namespace engine {

using model::kProfileAnswers;
using model::ProfileAnswer;
using model::WouldDeliver;

// Whom a certificate has to name.
struct Expected {
  std::string host;                  // of the MX, or the address literal: level verify
  std::vector<std::string> nexthop;  // level secure: nexthop and dot-nexthop, where it is a domain
};

WouldDeliver would_deliver(const model::ProbedAddress& probed, const Expected& expected);

// Of addresses among which smtp(8) chooses: it goes on to the next one where TLS fails, so one that
// would deliver is enough; where none would, one that is unknown leaves all of it unknown.
WouldDeliver any_of(const std::vector<WouldDeliver>& each);

// The strictest profile that would deliver at every one of `each` and needs no `match`; nothing
// where that is none above `off`.
std::optional<std::string_view> strictest_for_all(const std::vector<WouldDeliver>& each);

// What the peer has agreed to and nobody should rely on any more, one sentence each: a protocol
// before TLS 1.2, a cipher or key exchange that is broken or short, a short key, a signature by
// SHA-1 or MD5.
std::vector<std::string> find_weaknesses(const model::SeenTls& tls);
// The two halves of it.
std::vector<std::string> find_session_weaknesses(const model::SeenTls& tls);
std::vector<std::string> find_certificate_weaknesses(const model::SeenTls& tls);
// What it was tried with and takes too; protocols before ciphers.
std::vector<std::string> find_taken_weaknesses(const model::ProbedAddress& probed);
// All of that.
std::vector<std::string> find_weaknesses(const model::ProbedAddress& probed);

}  // namespace engine
