// find_policy_fault(): what an admin may write into the attributes of a profile and into `match`.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "tlsmap/policy_text.h"
#include "tlsmap/values.h"

namespace tlsmap {
namespace {

using model::Level;
using model::Profile;
using Fault = std::optional<std::string>;

constexpr std::size_t kLongestValue = 4096;

// One version of each form that an answer can have.
constexpr std::array kForms{model::PostfixVersion{3, 4, 0},  model::PostfixVersion{3, 6, 0},
                            model::PostfixVersion{3, 7, 0},  model::PostfixVersion{3, 9, 0},
                            model::PostfixVersion{3, 10, 0}, model::PostfixVersion{3, 11, 0}};

std::string shown(std::string_view text) {
  return base::printable(text, 60);
}

Fault find_length_fault(const Profile& profile, std::string_view match) {
  const std::array values{std::pair{"match", match},
                          std::pair{"protocols", std::string_view(profile.protocols)},
                          std::pair{"exclude", std::string_view(profile.exclude)},
                          std::pair{"servername", std::string_view(profile.servername)},
                          std::pair{"tafile", std::string_view(profile.tafile)}};
  for (const auto& [name, value] : values) {
    if (value.size() > kLongestValue) {
      return fmt::format("{} is {} bytes long; at most {} are allowed", name, value.size(),
                         kLongestValue);
    }
  }
  return std::nullopt;
}

Fault find_protocols_fault(const std::string& protocols) {
  if (protocols.empty()) return std::nullopt;
  const auto list = parse_protocols(protocols);
  if (!list.unknown.empty()) {
    return fmt::format(
        "protocols has \"{}\"; allowed are SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2 and "
        "TLSv1.3 with ':' between, each with '!' before it to exclude it, and >= or "
        "<= before all but SSLv2",
        shown(list.unknown));
  }
  if (!has_usable_tls(list)) {
    return fmt::format("protocols \"{}\" leaves no version of TLS to use", shown(protocols));
  }
  return std::nullopt;
}

Fault find_file_fault(const std::string& tafile) {
  const bool is_plain = std::all_of(tafile.begin(), tafile.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ',' && c != '{' && c != '}';
  });
  if (tafile.empty() || (tafile.front() == '/' && is_plain)) return std::nullopt;
  return fmt::format(
      "tafile \"{}\" must be an absolute path of printable ASCII without blanks, commas "
      "and braces, as smtp(8) sees it inside its chroot",
      shown(tafile));
}

Fault find_value_fault(const Profile& profile) {
  if (!profile.ciphers.empty() && profile.ciphers != "medium" && profile.ciphers != "high") {
    return fmt::format("ciphers is \"{}\"; medium and high are allowed", shown(profile.ciphers));
  }
  if (auto fault = find_protocols_fault(profile.protocols)) return fault;
  if (const auto bad = find_bad_exclusion(profile.exclude)) {
    return fmt::format(
        "exclude has \"{}\"; names of ciphers or of their parts are allowed (letters, "
        "digits, '-', '_', '+', '.', a letter or digit first) with ':' between",
        shown(*bad));
  }
  if (!profile.servername.empty() && !is_host_name(profile.servername)) {
    return fmt::format("servername \"{}\" must be a host name, or the word hostname or nexthop",
                       shown(profile.servername));
  }
  return find_file_fault(profile.tafile);
}

// Hexadecimal bytes with ':' between: what MD5, SHA-1, SHA-256, SHA-384 and SHA-512 make.
bool is_digest(std::string_view pin) {
  constexpr std::array<std::size_t, 5> kLengths{16, 20, 32, 48, 64};
  const auto count = (pin.size() + 1) / 3;
  if (pin.size() % 3 != 2 || std::find(kLengths.begin(), kLengths.end(), count) == kLengths.end()) {
    return false;
  }
  for (std::size_t at = 0; at < pin.size(); ++at) {
    const char c = base::to_lower(pin[at]);
    const bool is_hex = base::is_digit(c) || (c >= 'a' && c <= 'f');
    if (at % 3 == 2 ? c != ':' : !is_hex) return false;
  }
  return true;
}

Fault find_pin_fault(std::string_view pin) {
  if (is_digest(pin)) return std::nullopt;
  return fmt::format(
      "match has \"{}\"; at fingerprint allowed are digests of 16, 20, 32, 48 or 64 "
      "bytes in hexadecimal with ':' between the bytes and '|' between the digests",
      shown(pin));
}

Fault find_name_fault(std::string_view name) {
  if (name.starts_with("*.")) {
    return fmt::format(
        "match has \"{}\", which matches nothing; write \"{}\" for every name below it",
        shown(name), shown(name.substr(1)));
  }
  const auto host = name.starts_with('.') ? name.substr(1) : name;
  if (is_host_name(host)) return std::nullopt;
  return fmt::format(
      "match has \"{}\"; allowed are host names, .suffixes and the words nexthop, "
      "dot-nexthop and hostname, with ':' between",
      shown(name));
}

// At other levels Postfix refuses any `match`; model::find_match_fault() tells the admin.
Fault find_match_value_fault(Level level, std::string_view match) {
  if (match.empty() || !model::is_match_allowed(level)) return std::nullopt;
  const char between = level == Level::Fingerprint ? '|' : ':';
  for (std::size_t at = 0; at <= match.size();) {
    const auto end = std::min(match.find(between, at), match.size());
    const auto word = match.substr(at, end - at);
    auto fault = level == Level::Fingerprint ? find_pin_fault(word) : find_name_fault(word);
    if (fault) return fault;
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_policy_fault(const Profile& profile, std::string_view match) {
  if (auto fault = find_length_fault(profile, match)) return fault;
  if (auto fault = find_value_fault(profile)) return fault;
  if (auto fault = find_match_value_fault(profile.level, match)) return fault;
  model::Verdict verdict;
  verdict.kind = model::Verdict::Kind::Policy;
  verdict.row.profile = &profile;
  verdict.row.match = match;
  std::string text;
  for (const auto level : {profile.level, Level::Encrypt}) {
    verdict.level = level;
    for (const auto& version : kForms) {
      text.clear();
      const auto appended = append_policy_text(text, verdict, version);
      if (!appended) return appended.error();
    }
  }
  return std::nullopt;
}

}  // namespace tlsmap
