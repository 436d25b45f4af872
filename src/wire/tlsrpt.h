// One TLSRPT datagram of Postfix 3.10 and later: a JSON object that says how one TLS handshake of
// one destination ended [F 6.3] [O 7].
//
// Bytes in, values out; no I/O. Whoever may write to the socket may send anything: nesting, members
// and items are bounded, an object that has a key twice is refused, and so is every key with an
// escape, which could hide that. Texts may be invalid UTF-8 (a peer's EHLO reply stands in them)
// and are looked at no further than their end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/evidence.h"

namespace wire {

inline constexpr std::size_t kLargestTlsrptDatagram = 64 * 1024;
inline constexpr std::size_t kDeepestTlsrpt = 32;
inline constexpr std::size_t kMostTlsrptMembers = 64;
inline constexpr std::size_t kMostTlsrptItems = 256;

// Views into the datagram. A text with an escape in it is no name or address, and is left empty.
struct TlsrptFailure {
  std::int64_t code = 0;     // RFC 8460 result type as libtlsrpt numbers it: 201 to 306, 901
  std::string_view mx;       // "n"
  std::string_view address;  // "r"
  std::string_view reason;   // "f"
};

struct TlsrptPolicy {
  bool is_failure = false;
  std::vector<TlsrptFailure> failures;
};

struct TlsrptDatagram {
  std::string_view domain;  // "d": the next-hop's domain; never empty, not yet known to be a domain
  std::vector<TlsrptPolicy> policies;  // Postfix: exactly one
};

// The error says what is wrong with it, in our own words.
base::Result<TlsrptDatagram> parse_tlsrpt(std::string_view datagram);

// What a failure means; nothing for a code of which we know nothing.
std::optional<model::Outcome> outcome_of(const TlsrptFailure& failure);

// One piece for each policy, source Tlsrpt, neither trusted nor dated. A success shows encryption,
// not who the peer was: at `may` and `encrypt` Postfix verifies nothing [O 7].
std::vector<model::Evidence> evidence_of(const TlsrptDatagram& datagram);

}  // namespace wire
