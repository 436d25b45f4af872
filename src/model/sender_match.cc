#include "src/model/sender_match.h"

#include <fmt/format.h>

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

// A domain that has nothing to convert but the case of its letters.
bool is_settled(std::string_view domain) {
  if (domain.empty() || domain.back() == '.') return false;
  for (const char c : domain) {
    if (!base::is_alnum(c) && c != '.' && c != '-' && c != '_') return false;
  }
  return true;
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
  for (char& c : key.address) c = base::to_lower(c);
  key.domain_at = told.rfind('@') + 1;  // npos + 1 is 0
  if (key.domain_at != 0 && !is_settled(key.domain())) {
    key.address.replace(key.domain_at, key.address.npos,
                        normalise_key(told.substr(key.domain_at)).text);
  }
}

}  // namespace model
