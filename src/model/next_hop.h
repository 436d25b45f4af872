// The keys of the policy table: what Postfix asks for, and what an admin may write as a
// destination.
//
// Both go through the same normal form, so that a row and a question meet byte for byte: lower
// case, A-labels, no trailing dot (nor inside brackets or before a port), an address in the one
// spelling of RFC 5952 and without "IPv6:". A port stays what it is, number or service name:
// Postfix hands on what the admin wrote in transport_maps [F 2.1.1], so "[host]:smtp" and
// "[host]:25" are two keys. Knows nothing of rows, levels or precedence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace model {

enum class KeyKind : std::uint8_t {
  Domain,        // example.com
  Parent,        // .example.com: everything below it, not itself
  PortedDomain,  // example.com:587, example.com:submission
  Host,          // [mx.example.com], [mx.example.com]:587; here and with a port '_' is a letter
  Literal,       // [192.0.2.1]:25, [2001:db8::1]; asked as [IPv6:2001:db8::1] too
  Any,           // *    (a row alone)
  AnyHost,       // [*]  (a row alone)
  Opaque,        // whatever can't be a domain: looked up as it stands, never by parents or `*`
};

// Whether mail can be on its way to a key of this kind.
[[nodiscard]] constexpr bool is_deliverable(KeyKind kind) {
  switch (kind) {
    case KeyKind::Domain:
    case KeyKind::PortedDomain:
    case KeyKind::Host:
    case KeyKind::Literal:
      return true;
    case KeyKind::Parent:
    case KeyKind::Any:
    case KeyKind::AnyHost:
    case KeyKind::Opaque:
      return false;
  }
  return false;
}

// A key in normal form. `text` owns the bytes; host and the others are computed from it.
struct Key {
  KeyKind kind = KeyKind::Opaque;
  std::string text;
};

inline constexpr std::size_t kLongestDomain = 253;  // RFC 1035 2.3.4, as text
inline constexpr std::size_t kLongestLabel = 63;
// Longest destination an admin may store: a bracketed name and a service of 15 letters.
inline constexpr std::size_t kLongestDestination = kLongestDomain + 18;

// Never fails: what isn't a next-hop of the forms above becomes Opaque with its ASCII letters
// folded. A question is never Any or AnyHost: `*` from the wire is Opaque and can't fetch the
// default row.
Key normalise_key(std::string_view asked);
// The same into a key that is there already, whose memory it reuses.
void normalise_key(std::string_view asked, Key& key);

// A destination as an admin wrote it; the error says what is allowed. Opaque is refused, but for
// names with '_', which Postfix accepts as host names and which match exactly alone.
base::Result<Key> parse_destination(std::string_view written);

// True for a host name as RFC 1123 2.1 has it, already in lower case; '_' and digits alone are
// refused.
[[nodiscard]] bool is_domain(std::string_view text);

// The host of "[host]:port", "[host]" or "host:port" without brackets and port; else `text` itself.
std::string_view host_of(std::string_view text);

}  // namespace model
