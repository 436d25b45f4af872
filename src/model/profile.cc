#include "src/model/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace model {
namespace {

std::optional<std::string> find_fallback_fault(const Profile& p) {
  const bool weak = p.level == Level::None || p.level == Level::May;
  switch (p.fallback) {
    case Fallback::Never:
      break;
    case Fallback::Bounce:
    case Fallback::Reroute:
      if (weak) {
        return fmt::format(
            "fallback {} needs a level that asks for TLS; at {} mail never fails for "
            "want of it",
            to_word(p.fallback), to_word(p.level));
      }
      break;
    case Fallback::Native:
      if (p.level != Level::May && p.level != Level::Dane) {
        return fmt::format(
            "fallback native needs level may or dane; at {} Postfix never falls back "
            "by itself",
            to_word(p.level));
      }
      break;
    case Fallback::AfterRetry:
      if (!weak && p.level != Level::Encrypt) {
        return fmt::format(
            "fallback after-retry needs level none, may or encrypt; {} is never "
            "lowered",
            to_word(p.level));
      }
      break;
    case Fallback::UnlessOffered:
      if (!weak) {
        return fmt::format(
            "fallback unless-offered needs level none or may; {} never goes out in "
            "plaintext",
            to_word(p.level));
      }
      break;
  }
  if ((p.fallback == Fallback::Reroute) == p.reroute_to.empty()) {
    return p.reroute_to.empty() ? "fallback reroute needs reroute_to, the transport to hand mail to"
                                : "reroute_to has a meaning with fallback reroute alone";
  }
  return std::nullopt;
}

std::optional<std::string> find_duration_fault(const Profile& p) {
  struct Field {
    const char* name;
    std::optional<std::int64_t> value;
    std::int64_t least;
    std::int64_t most;
  };
  const std::array fields{Field{"attempts", p.attempts, 1, kMostAttempts},
                          Field{"retry_after", p.retry_after, 1, kLongestDuration},
                          Field{"failure_memory", p.failure_memory, 1, kLongestDuration},
                          Field{"downgrade_for", p.downgrade_for, 1, kLongestDuration},
                          Field{"downgrade_max", p.downgrade_max, 1, kLongestDuration},
                          Field{"remember_for", p.remember_for, 0, kLongestDuration}};
  for (const auto& field : fields) {
    if (field.value && (*field.value < field.least || *field.value > field.most)) {
      return fmt::format("{} is {}; {} to {} is allowed", field.name, *field.value, field.least,
                         field.most);
    }
  }
  if (p.downgrade_for && p.downgrade_max && *p.downgrade_max < *p.downgrade_for) {
    return "downgrade_max is less than downgrade_for";
  }
  return std::nullopt;
}

std::optional<std::string> find_attribute_fault(const Profile& p) {
  if (p.first_contact && *p.first_contact != Level::May && *p.first_contact != Level::Encrypt) {
    return "first_contact must be may or encrypt";
  }
  if (p.downgrade_to && *p.downgrade_to != Level::May && *p.downgrade_to != Level::None) {
    return "downgrade_to must be may or none";
  }
  if (!p.protocols.empty() && p.min_protocol) {
    return "protocols and min_protocol exclude each other; set one of them";
  }
  if (!p.tafile.empty() && p.level != Level::Verify && p.level != Level::Secure) {
    return fmt::format("tafile needs level verify or secure; Postfix refuses it at {}",
                       to_word(p.level));
  }
  const bool has_tls_attribute = !p.protocols.empty() || p.min_protocol || !p.ciphers.empty() ||
                                 !p.exclude.empty() || !p.servername.empty() ||
                                 p.connection_reuse || p.enable_rpk;
  if (p.level == Level::None && has_tls_attribute && p.fallback != Fallback::AfterRetry &&
      p.fallback != Fallback::UnlessOffered) {
    return "level none uses no TLS, so TLS attributes have no meaning there";
  }
  return std::nullopt;
}

}  // namespace

bool is_profile_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestProfileName && base::is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return base::is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<std::string> find_contradiction(const Profile& profile) {
  if (!is_profile_name(profile.name)) {
    return fmt::format(
        "a profile name is 1 to {} letters, digits, '.', '_' or '-', a letter or "
        "digit first",
        kLongestProfileName);
  }
  if (auto fault = find_fallback_fault(profile)) return fault;
  if (auto fault = find_duration_fault(profile)) return fault;
  return find_attribute_fault(profile);
}

std::optional<std::string> find_match_fault(const Profile& profile, std::string_view match) {
  if (match.empty() && profile.level == Level::Fingerprint) {
    return fmt::format("profile {} has level fingerprint, which needs the pins in match",
                       profile.name);
  }
  if (!match.empty() && !is_match_allowed(profile.level)) {
    return fmt::format(
        "match has a meaning at fingerprint, verify and secure; profile {} has "
        "level {}",
        profile.name, to_word(profile.level));
  }
  return std::nullopt;
}

}  // namespace model
