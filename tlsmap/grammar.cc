#include "tlsmap/grammar.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "src/base/text.h"
#include "src/model/level.h"
#include "tlsmap/tokens.h"
#include "tlsmap/values.h"

namespace tlsmap {
namespace {

using model::Level;
using model::PostfixVersion;

// "OK " and the text must fit socketmap_max_reply_size [F 1.9].
constexpr std::size_t kLongestText = 100'000 - 3;
// Where "{ name = value }" begins [F 2.3.2].
constexpr PostfixVersion kBraces{3, 10, 0};

enum class Id : std::uint8_t {
  Ciphers,
  Protocols,
  Exclude,
  ServerName,
  Match,
  TaFile,
  ConnectionReuse,
  EnableRpk,
  PolicyType,
  PolicyDomain,
  PolicyString,
  MxHostPattern,
  PolicyFailure,
  PolicyTtl,
};

struct Attribute {
  std::string_view name;
  Id id;
  PostfixVersion since;
  bool once;         // a second one is an error; else it adds or the last one wins
  bool needs_value;  // an empty value is an error of its own
};

// The table of [F 2.4].
constexpr std::array kAttributes{
    Attribute{"match", Id::Match, {2, 3, 0}, false, true},
    Attribute{"protocols", Id::Protocols, {2, 6, 0}, true, false},
    Attribute{"ciphers", Id::Ciphers, {2, 6, 0}, true, true},
    Attribute{"exclude", Id::Exclude, {2, 6, 0}, true, false},
    Attribute{"servername", Id::ServerName, {3, 4, 0}, true, false},
    Attribute{"tafile", Id::TaFile, {2, 11, 0}, false, true},
    Attribute{"connection_reuse", Id::ConnectionReuse, {3, 4, 14}, false, false},
    Attribute{"enable_rpk", Id::EnableRpk, {3, 9, 0}, false, false},
    Attribute{"policy_type", Id::PolicyType, {3, 10, 0}, true, false},
    Attribute{"policy_domain", Id::PolicyDomain, {3, 10, 0}, true, false},
    Attribute{"policy_string", Id::PolicyString, {3, 10, 0}, false, false},
    Attribute{"mx_host_pattern", Id::MxHostPattern, {3, 10, 0}, false, false},
    Attribute{"policy_failure", Id::PolicyFailure, {3, 10, 0}, true, false},
    Attribute{"policy_ttl", Id::PolicyTtl, {3, 10, 0}, true, false}};

using Objection = std::optional<std::string>;

std::string quoted(std::string_view text) {
  return base::printable(text, 100);
}

std::optional<Level> parse_level_word(std::string_view word) {
  for (const auto level : model::kLevels) {
    if (base::is_equal_ignoring_case(word, model::to_word(level))) return level;
  }
  return std::nullopt;
}

bool is_yes_or_no(std::string_view value) {
  return base::is_equal_ignoring_case(value, "yes") || base::is_equal_ignoring_case(value, "no");
}

const Attribute* find_attribute(std::string_view name, const PostfixVersion& version) {
  for (const auto& attribute : kAttributes) {
    if (!base::is_equal_ignoring_case(name, attribute.name)) continue;
    const bool is_known = attribute.id == Id::ConnectionReuse ? has_connection_reuse(version)
                                                              : version >= attribute.since;
    return is_known ? &attribute : nullptr;
  }
  return nullptr;
}

class Reader {
 public:
  Reader(Level level, const PostfixVersion& version) : level_(level), version_(version) {}

  Objection take(std::string_view token);
  [[nodiscard]] Objection finish() const;

 private:
  [[nodiscard]] Objection check_value(const Attribute& attribute, std::string_view value) const;
  [[nodiscard]] Objection check_match(std::string_view value) const;
  [[nodiscard]] Objection check_protocols(std::string_view value) const;
  [[nodiscard]] Objection at_wrong_level(std::string_view name) const {
    return fmt::format("attribute \"{}\" invalid at security level \"{}\"", name,
                       model::to_word(level_));
  }
  [[nodiscard]] bool has(Id id) const { return (seen_ >> static_cast<unsigned>(id) & 1U) != 0; }

  Level level_;
  const PostfixVersion& version_;
  unsigned seen_ = 0;
  bool is_sts_ = false;
};

Objection Reader::take(std::string_view token) {
  const auto pair = split_token(token, version_ >= kBraces);
  if (!pair.fault.empty()) {
    return fmt::format("malformed attribute/value pair \"{}\": {}", quoted(token), pair.fault);
  }
  const auto* attribute = find_attribute(pair.name, version_);
  if (attribute == nullptr) {
    return fmt::format("invalid attribute name: \"{}\"", quoted(pair.name));
  }
  if (attribute->id == Id::TaFile && level_ != Level::Verify && level_ != Level::Secure) {
    return at_wrong_level(attribute->name);
  }
  if (attribute->needs_value && pair.value.empty()) {
    return fmt::format("attribute \"{}\" has empty value", attribute->name);
  }
  if (attribute->once && has(attribute->id)) {
    return fmt::format("attribute \"{}\" is specified multiple times", attribute->name);
  }
  seen_ |= 1U << static_cast<unsigned>(attribute->id);
  is_sts_ |= attribute->id == Id::PolicyType && pair.value == "sts";
  return check_value(*attribute, pair.value);
}

Objection Reader::check_value(const Attribute& attribute, std::string_view value) const {
  const auto bad = [&](std::string_view what) -> Objection {
    return fmt::format("attribute \"{}\" has {} value: \"{}\"", attribute.name, what,
                       quoted(value));
  };
  switch (attribute.id) {
    case Id::Match:
      return check_match(value);
    case Id::Protocols:
      return check_protocols(value);
    case Id::Ciphers:
      if (!is_cipher_grade(value))
        return fmt::format("invalid cipher grade: \"{}\"", quoted(value));
      break;
    case Id::Exclude:
      if (const auto word = find_bad_exclusion(value)) {
        return fmt::format("invalid cipher exclusion: \"{}\"", quoted(*word));
      }
      break;
    case Id::ServerName:
      if (!is_host_name(value)) {
        return fmt::format("\"{}={}\" specifies an invalid hostname", attribute.name,
                           quoted(value));
      }
      break;
    case Id::ConnectionReuse:
    case Id::EnableRpk:
      if (!is_yes_or_no(value)) return bad("bad");
      break;
    case Id::PolicyType:
      if (value != "sts" && value != "no-policy-found") return bad("an unexpected");
      break;
    case Id::PolicyFailure:
      if (value != "sts-policy-fetch-error" && value != "sts-policy-invalid" &&
          value != "sts-webpki-invalid" && value != "validation-failure") {
        return bad("an unexpected");
      }
      break;
    case Id::PolicyDomain:
      if (!is_host_name(value)) return bad("a malformed");
      break;
    case Id::PolicyTtl:
      if (!base::parse_number<std::int32_t>(value)) return bad("a malformed");
      break;
    case Id::TaFile:
    case Id::PolicyString:
    case Id::MxHostPattern:
      break;
  }
  return std::nullopt;
}

Objection Reader::check_match(std::string_view value) const {
  if (!model::is_match_allowed(level_)) return at_wrong_level("match");
  // A list of no names matches nothing, and Postfix won't fall back to main.cf's.
  const char between = level_ == Level::Fingerprint ? '|' : ':';
  if (value.find_first_not_of(between) == std::string_view::npos) {
    return "attribute \"match\" has empty value";
  }
  return std::nullopt;
}

// Postfix itself looks at the list when the handshake begins: at `may` a mistake means plaintext
// [F 2.4].
Objection Reader::check_protocols(std::string_view value) const {
  const auto list = parse_protocols(value);
  if (!list.unknown.empty() || (list.has_bounds && version_ < PostfixVersion{3, 6, 0}) ||
      (list.names_tls13 && version_ < PostfixVersion{3, 4, 0})) {
    return fmt::format("Invalid TLS protocol list \"{}\"", quoted(value));
  }
  if (!has_usable_tls(list)) {
    return fmt::format("TLS protocol list \"{}\" leaves no version of TLS", quoted(value));
  }
  return std::nullopt;
}

Objection Reader::finish() const {
  const bool has_details = has(Id::PolicyTtl) || has(Id::PolicyString) || has(Id::PolicyDomain) ||
                           has(Id::MxHostPattern) || has(Id::PolicyFailure);
  if (has_details && !has(Id::PolicyType)) {
    return "built-in policy has unexpected attribute policy_ttl, policy_domain, policy_string, "
           "mx_host_pattern or policy_failure";
  }
  if (!is_sts_) return std::nullopt;
  // [F 2.4.2]: smtp_tlsrpt_set_ext_policy() reads both through a null pointer.
  if (version_ < PostfixVersion{3, 10, 6} && !(has(Id::PolicyString) && has(Id::MxHostPattern))) {
    return "policy_type=sts without policy_string and mx_host_pattern makes smtp(8) crash before "
           "Postfix 3.10.6";
  }
  // [F 2.4.3]: the pins would be replaced by the word `hostname`.
  if (level_ == Level::Fingerprint && has(Id::Match) && has(Id::MxHostPattern)) {
    return "policy_type=sts with mx_host_pattern would replace the fingerprints of \"match\"";
  }
  return std::nullopt;
}

}  // namespace

// Fixed by 3.4.14, 3.5.4 and 3.6.0; before that the name falls through to "invalid attribute name".
bool has_connection_reuse(const PostfixVersion& version) {
  return version >= PostfixVersion{3, 5, 4} ||
         (version >= PostfixVersion{3, 4, 14} && version < PostfixVersion{3, 5, 0});
}

std::optional<std::string> find_objection(std::string_view text, const PostfixVersion& version) {
  const bool has_braces = version >= kBraces;
  auto rest = text;
  const auto word = take_token(rest, has_braces);
  const auto level = parse_level_word(word);
  if (level && rest.empty()) return std::nullopt;

  if (text.size() > kLongestText) return "input exceeds size limit";
  if (text.find('\0') != std::string_view::npos)
    return "NUL in the text: Postfix would cut it there";
  if (text.empty()) return "returns an empty string result";
  if (word.empty()) return "invalid empty policy";
  if (!level) return fmt::format("invalid security level \"{}\"", quoted(word));
  for (const char c : rest) {
    if ((c < ' ' || c > '~') && !is_separator(c)) {
      return "a control character or a byte outside ASCII in the text";
    }
  }
  // At `none` Postfix warns of attributes and goes on [F 2.3.4].
  if (*level == Level::None) return std::nullopt;
  Reader reader(*level, version);
  for (auto token = take_token(rest, has_braces); !token.empty();
       token = take_token(rest, has_braces)) {
    if (auto objection = reader.take(token)) return objection;
  }
  return reader.finish();
}

}  // namespace tlsmap
