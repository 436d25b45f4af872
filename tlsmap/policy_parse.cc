#include "tlsmap/policy_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "tlsmap/grammar.h"
#include "tlsmap/policy_text.h"
#include "tlsmap/tokens.h"
#include "tlsmap/values.h"

namespace tlsmap {
namespace {

using model::Level;
using model::Profile;
using Fault = std::optional<std::string>;

constexpr model::PostfixVersion kNewest{3, 11, 0};
constexpr std::string_view kWordSeparators = ":, \t\r\n";
constexpr std::string_view kAllowedAttributes =
    "match, protocols, ciphers, exclude, tafile, servername, connection_reuse, enable_rpk";

std::string shown(std::string_view text) {
  return base::printable(text, 60);
}

std::string joined_words(std::string_view value) {
  std::vector<std::string> words;
  for (const auto word : base::split(value, kWordSeparators)) words.emplace_back(word);
  return base::join(words, ":");
}

// Nothing but exclusions and lower bounds, so that the set of usable protocols says all of it.
bool is_only_narrowed(std::string_view protocols) {
  const auto words = base::split(protocols, kWordSeparators);
  return std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return word.starts_with('!') || word.starts_with(">=");
  });
}

// The lowest of the protocols where they are that one and all above it.
std::optional<model::TlsVersion> lowest_protocol(std::string_view protocols) {
  const auto list = parse_protocols(protocols);
  if (!list.unknown.empty() || !is_only_narrowed(protocols)) return std::nullopt;
  for (std::size_t i = 0; i < model::kTlsVersions.size(); ++i) {
    const unsigned all_above = 31U & ~((bit(Protocol::Tls10) << i) - 1U);
    if (list.usable == all_above) return model::kTlsVersions.at(i);
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(ParsedPolicy& policy) : policy_(policy), profile_(policy.profile) {}

  Fault take(std::string_view name, std::string_view value);

 private:
  Fault take_protocols(std::string_view value);
  Fault take_tafile(std::string_view value);
  Fault take_switch(std::string_view name, std::string_view value, std::optional<bool>& target);
  Fault take_match(std::string_view value);

  ParsedPolicy& policy_;
  Profile& profile_;
};

Fault Reader::take(std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view word) { return base::is_equal_ignoring_case(name, word); };
  if (is("match")) return take_match(value);
  if (is("protocols")) return take_protocols(value);
  if (is("tafile")) return take_tafile(value);
  if (is("connection_reuse")) return take_switch(name, value, profile_.connection_reuse);
  if (is("enable_rpk")) return take_switch(name, value, profile_.enable_rpk);
  if (is("ciphers")) {
    profile_.ciphers = base::to_lower(value);
  } else if (is("exclude")) {
    profile_.exclude = joined_words(value);
  } else if (is("servername")) {
    profile_.servername = value;
  } else if (is("policy_type") || is("policy_domain") || is("policy_string") || is("policy_ttl") ||
             is("policy_failure") || is("mx_host_pattern")) {
    return fmt::format(
        "attribute {} is for TLS reports about a policy that was found by DNS; a row has no column "
        "for it, take it out (allowed are {})",
        base::to_lower(name), kAllowedAttributes);
  } else {
    return fmt::format("invalid attribute name \"{}\"; allowed are {}", shown(name),
                       kAllowedAttributes);
  }
  return std::nullopt;
}

// An empty list would lift what main.cf says of protocols; an empty column says nothing of them.
Fault Reader::take_protocols(std::string_view value) {
  if (base::split(value, kWordSeparators).empty()) {
    return "protocols is empty; write the protocols that are meant, as in protocols=>=TLSv1.2";
  }
  profile_.min_protocol = lowest_protocol(value);
  if (!profile_.min_protocol) profile_.protocols = joined_words(value);
  return std::nullopt;
}

Fault Reader::take_tafile(std::string_view value) {
  if (profile_.level != Level::Verify && profile_.level != Level::Secure) {
    return fmt::format("tafile is allowed at verify and secure; at {} Postfix would refuse it",
                       model::to_word(profile_.level));
  }
  if (!profile_.tafile.empty()) {
    return "there is more than one tafile, and a profile holds one; put the certificates of all "
           "into one file";
  }
  profile_.tafile = value;
  return std::nullopt;
}

Fault Reader::take_switch(std::string_view name, std::string_view value,
                          std::optional<bool>& target) {
  const bool is_yes = base::is_equal_ignoring_case(value, "yes");
  if (!is_yes && !base::is_equal_ignoring_case(value, "no")) {
    return fmt::format("{} is \"{}\"; allowed are yes and no", base::to_lower(name), shown(value));
  }
  target = is_yes;
  return std::nullopt;
}

Fault Reader::take_match(std::string_view value) {
  if (!model::is_match_allowed(profile_.level)) {
    return fmt::format(
        "match is allowed at fingerprint, verify and secure; at {} Postfix would refuse it",
        model::to_word(profile_.level));
  }
  const std::string_view between = profile_.level == Level::Fingerprint ? "|" : ":";
  for (const auto word : base::split(value, between)) {
    if (!policy_.match.empty()) policy_.match += between;
    policy_.match += word;
  }
  return std::nullopt;
}

std::optional<Level> level_of(std::string_view word) {
  return model::parse_level(base::to_lower(word));
}

// What is said of the policy as a whole, once each attribute was read.
Fault find_fault(std::string_view text, const ParsedPolicy& policy) {
  if (policy.profile.level == Level::Fingerprint && policy.match.empty()) {
    return "level fingerprint needs the pins in match=: smtp_tls_fingerprint_cert_match of main.cf "
           "is not looked at";
  }
  if (auto fault = find_policy_fault(policy.profile, policy.match)) return fault;
  if (auto objection = find_objection(text, kNewest)) {
    return fmt::format("Postfix would refuse it: {}", *objection);
  }
  return std::nullopt;
}

}  // namespace

base::Result<ParsedPolicy> parse_policy(std::string_view text) {
  auto rest = text;
  const auto word = take_token(rest, /*has_braces=*/true);
  const auto level = level_of(word);
  if (!level) {
    return base::Error{fmt::format("invalid security level \"{}\"; allowed are {}", shown(word),
                                   model::allowed_levels())};
  }
  ParsedPolicy policy;
  policy.profile.level = *level;
  policy.profile.fallback = *level == Level::May ? model::Fallback::Native : model::Fallback::Never;
  auto token = take_token(rest, /*has_braces=*/true);
  if (*level == Level::None) {
    policy.has_ignored_attributes = !token.empty();
    return policy;
  }
  Reader reader(policy);
  for (; !token.empty(); token = take_token(rest, /*has_braces=*/true)) {
    const auto pair = split_token(token, /*has_braces=*/true);
    if (!pair.fault.empty()) {
      return base::Error{fmt::format("malformed attribute \"{}\": {}; expected is name=value",
                                     shown(token), pair.fault)};
    }
    if (auto fault = reader.take(pair.name, pair.value)) return base::Error{*fault};
  }
  if (auto fault = find_fault(text, policy)) return base::Error{*fault};
  return policy;
}

std::string attribute_key(const Profile& p) {
  std::string key(model::to_word(p.level));
  if (p.level == Level::None) return key;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) key += fmt::format(" {}={}", name, value);
  };
  const auto put_switch = [&](std::string_view name, std::optional<bool> value) {
    if (value) put(name, *value ? "yes" : "no");
  };
  std::string protocols;
  if (p.min_protocol) {
    protocols = fmt::format(">={}", model::to_word(*p.min_protocol));
  } else if (const auto lowest = lowest_protocol(p.protocols)) {
    protocols = fmt::format(">={}", model::to_word(*lowest));
  } else if (!p.protocols.empty()) {
    const auto list = parse_protocols(p.protocols);
    // Bounds are said as exclusions to a Postfix that doesn't know bounds.
    if (list.unknown.empty() && (list.has_bounds || is_only_narrowed(p.protocols))) {
      append_exclusions(protocols, list.usable);
    } else {
      protocols = base::to_lower(p.protocols);
    }
  }
  put("protocols", protocols);
  put("ciphers", p.ciphers);
  put("exclude", p.exclude);
  put("tafile", p.tafile);
  put("servername", p.servername);
  put_switch("connection_reuse", p.connection_reuse);
  put_switch("enable_rpk", p.enable_rpk);
  return key;
}

Profile without_unknown_attributes(Profile profile, const model::PostfixVersion& version) {
  if (!has_connection_reuse(version)) profile.connection_reuse.reset();
  if (version < model::PostfixVersion{3, 9, 0}) profile.enable_rpk.reset();
  return profile;
}

std::string telling_name(const Profile& p) {
  std::string name(model::to_word(p.level));
  const auto put = [&](bool is_there, std::string_view word) {
    if (is_there) name += fmt::format("-{}", word);
  };
  // "TLSv1.2" is "tls1.2" here.
  const auto put_version = [&](model::TlsVersion version) {
    put(true, fmt::format("tls{}", model::to_word(version).substr(4)));
  };
  if (p.min_protocol) {
    put_version(*p.min_protocol);
  } else {
    put(!p.protocols.empty(), "protocols");
  }
  put(!p.ciphers.empty(), p.ciphers);
  put(!p.exclude.empty(), "exclude");
  put(!p.tafile.empty(), "tafile");
  put(!p.servername.empty(), "sni");
  if (p.connection_reuse) put(true, *p.connection_reuse ? "reuse" : "no-reuse");
  if (p.enable_rpk) put(true, *p.enable_rpk ? "rpk" : "no-rpk");
  return name;
}

}  // namespace tlsmap
