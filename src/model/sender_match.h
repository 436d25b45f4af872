// Whom a rule means by its sender: an address, a domain, all domains below one. Shared by the
// tables inbound and submission; `<>` and `*` are the tables' own words. Pure text work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace model {

inline constexpr std::size_t kLongestSender = 320;

struct SenderMatch {
  enum class Kind : std::uint8_t { Address, Domain, Parent };
  Kind kind = Kind::Domain;
  std::string text;  // in normal form: lower case, of a Parent with the leading dot
};

// "user@example.com", "example.com", ".example.com" as an admin wrote it; the error says what is
// allowed.
base::Result<SenderMatch> parse_sender(std::string_view written);

// The sender of a message as Postfix tells it, in the same normal form: lower case, the domain as
// its A-label where it is none yet. Never fails: what has no domain stays as it is.
struct SenderKey {
  std::string address;
  std::size_t domain_at = 0;  // in `address`; 0: it has no domain
  [[nodiscard]] std::string_view domain() const {
    return domain_at == 0 ? std::string_view() : std::string_view(address).substr(domain_at);
  }
};
SenderKey normalise_sender(std::string_view told);
// The same into a key that is there already, whose memory it reuses.
void normalise_sender(std::string_view told, SenderKey& key);

}  // namespace model
