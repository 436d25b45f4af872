#include "src/model/next_hop.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "src/base/text.h"

namespace model {
namespace {

// No U-label name is longer than four bytes for each of the 253 letters it becomes, so nothing
// longer is worth the conversion.
constexpr std::size_t kLongestUnicodeName = 4 * kLongestDomain;
// RFC 6335 5.1: a service name has at most 15 letters, digits and hyphens, one letter at least.
constexpr std::size_t kLongestService = 15;
static_assert(kLongestDestination == kLongestDomain + kLongestService + 3);  // brackets and colon

enum class NameKind : std::uint8_t { Bad, WithUnderscore, Domain };

// What the bytes of a name may be, a bit each; kStranger for any other.
constexpr std::uint8_t kAlpha = 1;
constexpr std::uint8_t kDigit = 2;
constexpr std::uint8_t kHyphen = 4;
constexpr std::uint8_t kUnderscore = 8;
constexpr std::uint8_t kDot = 16;
constexpr std::uint8_t kStranger = 32;

constexpr auto kLetters = [] {
  std::array<std::uint8_t, 256> letters{};
  letters.fill(kStranger);
  for (unsigned char c = 'a'; c <= 'z'; ++c) letters.at(c) = kAlpha;
  for (unsigned char c = '0'; c <= '9'; ++c) letters.at(c) = kDigit;
  letters.at('-') = kHyphen;
  letters.at('_') = kUnderscore;
  letters.at('.') = kDot;
  return letters;
}();

unsigned letter_of(char c) {
  return kLetters[static_cast<unsigned char>(c)];
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-';
}

// The rules of Postfix's util/valid_hostname.c, because whatever it takes for a host name it walks
// the parents of, and `*` must hold for: labels of 1 to 63 letters, no hyphen at their ends, and
// something that isn't a digit somewhere.
NameKind kind_of_name(std::string_view name) {
  if (name.size() > kLongestDomain) return NameKind::Bad;
  unsigned letters = 0;
  std::size_t start = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    letters |= letter_of(name[at]);
    if (name[at] != '.') continue;
    if (!is_label(name.substr(start, at - start))) return NameKind::Bad;
    start = at + 1;
  }
  const bool is_numeric = (letters & ~(unsigned{kDigit} | kDot)) == 0;
  if (is_numeric || (letters & kStranger) != 0 || !is_label(name.substr(start))) {
    return NameKind::Bad;
  }
  return (letters & kUnderscore) != 0 ? NameKind::WithUnderscore : NameKind::Domain;
}

// 1 to 65535 without leading zeros, or a service name: Postfix hands either on as it was written.
bool is_port(std::string_view port) {
  if (port.empty() || port.size() > kLongestService) return false;
  if (const auto number = base::parse_number<std::uint32_t>(port)) {
    return port.front() != '0' && *number <= 65535;
  }
  bool has_letter = false;
  for (const char c : port) {
    if (!base::is_alnum(c) && c != '-') return false;
    has_letter = has_letter || (c >= 'a' && c <= 'z');
  }
  return has_letter && port.front() != '-' && port.back() != '-';
}

// What stands where in "host", "host:port", "[host]" and "[host]:port".
struct Parts {
  std::size_t host_at = 0;
  std::string_view host;
  std::string_view port;
  bool is_bracketed = false;
  bool is_ported = false;
};

std::optional<Parts> split_next_hop(std::string_view text) {
  Parts parts;
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos) return std::nullopt;
    parts.is_bracketed = true;
    parts.host_at = 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
  }
  parts.host = text.substr(parts.host_at, host_end - parts.host_at);
  const auto rest = text.substr(host_end + (parts.is_bracketed ? 1 : 0));
  if (rest.empty()) return parts;
  if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
  parts.is_ported = true;
  parts.port = rest.substr(1);
  return parts;
}

using AddressText = std::array<char, INET6_ADDRSTRLEN>;

// The one spelling of an address that Postfix would take in brackets (util/valid_mailhost_addr.c),
// in `canonical`; empty where it is none.
std::string_view canonical_address(std::string_view host, AddressText& canonical) {
  constexpr std::string_view kIpv6Prefix = "ipv6:";
  const bool has_prefix = host.starts_with(kIpv6Prefix);
  if (has_prefix) host.remove_prefix(kIpv6Prefix.size());
  if (host.empty() || host.size() >= canonical.size()) return {};
  AddressText given{};
  host.copy(given.data(), host.size());
  if (host.find('\0') != std::string_view::npos) return {};

  in6_addr address{};
  const int family = host.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  if ((has_prefix && family == AF_INET) || inet_pton(family, given.data(), &address) != 1)
    return {};
  if (inet_ntop(family, &address, canonical.data(), INET6_ADDRSTRLEN) == nullptr) return {};
  return canonical.data();
}

// Finds the kind of a text in lower-case ASCII and brings it into normal form in place. Opaque
// leaves it as it stands, but for the trailing dot of a name with '_'.
KeyKind settle(std::string& text) {
  const auto parts = split_next_hop(text);
  if (!parts) return KeyKind::Opaque;
  if (parts->is_bracketed) {
    AddressText canonical{};
    const auto address = canonical_address(parts->host, canonical);
    if (!address.empty()) {
      text.replace(parts->host_at, parts->host.size(), address);
      return KeyKind::Literal;
    }
  }
  auto name = parts->host;
  const bool is_plain = !parts->is_bracketed && !parts->is_ported;
  const bool is_parent = is_plain && name.starts_with('.');
  if (is_parent) name.remove_prefix(1);
  const bool is_rooted = name.ends_with('.');
  if (is_rooted) name.remove_suffix(1);
  const auto kind = kind_of_name(name);
  if (kind == NameKind::Bad || (is_parent && kind == NameKind::WithUnderscore)) {
    return KeyKind::Opaque;
  }
  if (is_rooted) text.erase(parts->host_at + parts->host.size() - 1, 1);
  if (parts->is_bracketed) return KeyKind::Host;
  if (parts->is_ported) return KeyKind::PortedDomain;
  if (is_parent) return KeyKind::Parent;
  return kind == NameKind::Domain ? KeyKind::Domain : KeyKind::Opaque;
}

struct FreeIdn {
  void operator()(std::uint8_t* text) const noexcept { idn2_free(text); }
};

// The letters that UTS 46 maps away in transitional processing: sharp s, final sigma and the
// joiners. Without them both ways of processing give the same labels.
bool has_deviation(std::string_view name) {
  constexpr std::array<std::string_view, 5> kDeviations{"\xc3\x9f", "\xe1\xba\x9e", "\xcf\x82",
                                                        "\xe2\x80\x8c", "\xe2\x80\x8d"};
  return std::any_of(kDeviations.begin(), kDeviations.end(),
                     [name](auto each) { return name.find(each) != name.npos; });
}

base::Result<std::string> convert(const std::string& name, int processing) {
  // A-labels beside a U-label are taken as they are, like those of a name in ASCII.
  const int flags = processing | IDN2_NFC_INPUT | IDN2_NO_ALABEL_ROUNDTRIP;
  std::uint8_t* converted = nullptr;
  const int status =
      idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(name.c_str()), &converted, flags);
  const std::unique_ptr<std::uint8_t, FreeIdn> owned(converted);
  // Not a fault of the name: its row would be passed over.
  if (status == IDN2_MALLOC) throw std::bad_alloc();
  if (status != IDN2_OK) return base::Error{idn2_strerror(status)};
  return std::string(reinterpret_cast<const char*>(owned.get()));
}

// The A-labels of a name with U-labels, by UTS 46 without transition, as Postfix's ICU makes them
// (util/midna_domain.c); or why it has none.
base::Result<std::string> to_a_labels(std::string_view name) {
  if (name.size() > kLongestUnicodeName) return base::Error{"too long"};
  if (name.find('\0') != name.npos) return base::Error{"it has a NUL byte"};
  const std::string terminated(name);
  auto labels = convert(terminated, IDN2_NONTRANSITIONAL);
  // libidn2 adds the rules of IDNA 2008, which know no symbols. Postfix takes "\u263a.example" for
  // a domain, so rows for its parents and for any domain must hold; transitional processing has no
  // such rules in libidn2.
  if (!labels && !has_deviation(name)) labels = convert(terminated, IDN2_TRANSITIONAL);
  if (!labels) return labels;
  if (labels->ends_with('.')) labels->pop_back();
  // UTS 46 maps some letters to ':' and the like; such a text must not become another form of key.
  if (kind_of_name(*labels) == NameKind::Bad) return base::Error{"not a host name"};
  return labels;
}

// `text` with its host in A-labels.
base::Result<std::string> with_a_labels(std::string_view text) {
  const auto parts = split_next_hop(text);
  if (!parts) return base::Error{"not a host name"};
  const std::size_t name_at = parts->host_at + (parts->host.starts_with('.') ? 1 : 0);
  const std::size_t host_end = parts->host_at + parts->host.size();
  auto labels = to_a_labels(text.substr(name_at, host_end - name_at));
  if (!labels) return labels;
  return std::string(text.substr(0, name_at)).append(*labels).append(text.substr(host_end));
}

bool has_high_bit(std::string_view text) {
  unsigned char seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return (seen & 0x80U) != 0;
}

bool is_bare_address(std::string_view text) {
  AddressText canonical{};
  return !canonical_address(base::to_lower(text), canonical).empty();
}

// What an admin did most likely, who wrote what can't be a destination.
std::string hint_for(std::string_view written) {
  if (written.empty()) return "it is empty";
  if (is_bare_address(written)) return fmt::format("an address is written [{}]", written);
  const auto colon = written.rfind(':');
  if (colon != std::string_view::npos && is_bare_address(written.substr(0, colon))) {
    return fmt::format("an address is written [{}]{}", written.substr(0, colon),
                       written.substr(colon));
  }
  if (written.find('@') != std::string_view::npos) return "it must be a domain, not an address";
  if (written.starts_with("*.")) {
    return fmt::format("everything below a domain is written {}",
                       base::printable(written.substr(1)));
  }
  if (written.starts_with("[*]")) return "[*] takes no port";
  if (has_high_bit(written)) {
    const auto converted = with_a_labels(written);
    if (!converted) return "as an internationalised name: " + converted.error();
  }
  return fmt::format(
      "labels have 1 to {} letters, digits or hyphens, a name at most {}, ports are "
      "1 to 65535 or a service",
      kLongestLabel, kLongestDomain);
}

}  // namespace

Key normalise_key(std::string_view asked) {
  Key key;
  normalise_key(asked, key);
  return key;
}

void normalise_key(std::string_view asked, Key& key) {
  key.text.assign(asked);
  base::lower_in_place(key.text);
  // Nearly every question is about a plain name.
  key.kind = KeyKind::Domain;
  if (kind_of_name(key.text) == NameKind::Domain) return;
  key.kind = KeyKind::Opaque;
  if (has_high_bit(key.text)) {
    auto converted = with_a_labels(key.text);
    if (!converted) return;
    key.text = std::move(*converted);
  }
  key.kind = settle(key.text);
}

base::Result<Key> parse_destination(std::string_view written) {
  if (written == "*") return Key{KeyKind::Any, "*"};
  if (written == "[*]") return Key{KeyKind::AnyHost, "[*]"};
  Key key = normalise_key(written);
  if (key.kind != KeyKind::Opaque || kind_of_name(key.text) == NameKind::WithUnderscore) return key;
  return base::Error{fmt::format(
      "\"{}\" is no destination: {}; allowed are example.com, .example.com, example.com:587, "
      "[relay.example]:587, [192.0.2.1], [2001:db8::1], [*] and *",
      base::printable(written, 100), hint_for(written))};
}

bool is_domain(std::string_view text) {
  return kind_of_name(text) == NameKind::Domain;
}

std::string_view host_of(std::string_view text) {
  const auto parts = split_next_hop(text);
  return parts ? parts->host : text;
}

}  // namespace model
