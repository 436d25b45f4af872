#include "src/model/sender_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace model {
namespace {

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '<' || c == '>') return false;
  }
  return true;
}

// What a domain that has nothing to convert is made of, in lower case.
constexpr auto kSettled = [] {
  std::array<bool, 256> settled{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789.-_")) {
    settled.at(static_cast<unsigned char>(c)) = true;
  }
  return settled;
}();

bool is_settled(std::string_view domain) {
  bool is_all = !domain.empty() && domain.back() != '.';
  // To its end: that is known beforehand, where a letter that stops it seldom comes.
  for (const char c : domain) is_all &= kSettled[static_cast<unsigned char>(c)];
  return is_all;
}

}  // namespace

base::Result<SenderMatch> parse_sender(std::string_view written) {
  SenderMatch match;
  match.text = base::to_lower(written);
  const std::string_view text = match.text;
  const auto at = text.rfind('@');
  std::string_view domain = text;
  if (at != text.npos) {
    match.kind = SenderMatch::Kind::Address;
    domain = text.substr(at + 1);
  } else if (text.starts_with('.')) {
    match.kind = SenderMatch::Kind::Parent;
    domain = text.substr(1);
  }
  if (at != 0 && text.size() <= kLongestSender && is_plain(text) && is_domain(domain)) return match;
  return base::Error{fmt::format(
      "sender \"{}\" must be as one of user@example.com, example.com, .example.com (everything "
      "below it); an internationalised domain as its A-label, xn--...",
      base::printable(written, 100))};
}

SenderKey normalise_sender(std::string_view told) {
  SenderKey key;
  normalise_sender(told, key);
  return key;
}

void normalise_sender(std::string_view told, SenderKey& key) {
  key.address.assign(told);
  base::lower_in_place(key.address);
  key.domain_at = told.rfind('@') + 1;  // npos + 1 is 0
  if (key.domain_at != 0 && !is_settled(key.domain())) {
    key.address.replace(key.domain_at, key.address.npos,
                        normalise_key(told.substr(key.domain_at)).text);
  }
}

}  // namespace model
