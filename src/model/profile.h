// A profile: how much TLS, what else Postfix is told, and what happens when TLS doesn't work.
//
// The nouns and the rules that hold inside one row. Whether Postfix accepts the texts is the
// business of tlsmap/; whether a row may be stored is checked here, there and, as SQL, in
// store/schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/level.h"

namespace model {

struct Profile {
  std::string name;
  Level level = Level::Encrypt;
  Fallback fallback = Fallback::Never;
  std::optional<Level> first_contact;  // May or Encrypt
  std::string protocols;               // Postfix's list, ':' between; excludes min_protocol
  std::optional<TlsVersion> min_protocol;
  std::string ciphers;     // medium | high
  std::string exclude;     // ':' between
  std::string tafile;      // absolute path; verify and secure alone
  std::string servername;  // host name, or the words hostname, nexthop
  std::optional<bool> connection_reuse;
  std::optional<bool> enable_rpk;
  std::optional<std::int64_t> attempts;     // 1..100
  std::optional<std::int64_t> retry_after;  // seconds, from here on: 1..kLongestDuration
  std::optional<std::int64_t> failure_memory;
  std::optional<Level> downgrade_to;  // May or None
  std::optional<std::int64_t> downgrade_for;
  std::optional<std::int64_t> downgrade_max;
  std::optional<std::int64_t> remember_for;  // 0 = for ever
  std::string reroute_to;                    // a Postfix transport, with fallback reroute alone
  std::string comment;

  bool operator==(const Profile&) const = default;
};

// Ten years: longer is a typo.
inline constexpr std::int64_t kLongestDuration = 315'360'000;
inline constexpr std::int64_t kMostAttempts = 100;
inline constexpr std::size_t kLongestProfileName = 64;

// DESIGN section 4, "Defaults (NULL in a profile)".
inline constexpr std::int64_t kDefaultAttempts = 2;
inline constexpr std::int64_t kDefaultRetryAfter = 300;
inline constexpr std::int64_t kDefaultFailureMemory = 86'400;
inline constexpr std::int64_t kDefaultDowngradeFor = 3'600;
inline constexpr std::int64_t kDefaultDowngradeMax = 86'400;
inline constexpr std::int64_t kDefaultRememberFor = 2'592'000;

// Letters, digits, '.', '_' and '-', 1 to kLongestProfileName of them, a letter or digit first.
[[nodiscard]] bool is_profile_name(std::string_view name);

// What is wrong with the profile as a whole, as one sentence, or nothing: a fallback that
// contradicts its level, durations out of range, attributes the level has no use for.
std::optional<std::string> find_contradiction(const Profile& profile);

// The same for a row's `match` under a profile: missing at fingerprint, given where the level has
// no use for it.
std::optional<std::string> find_match_fault(const Profile& profile, std::string_view match);

}  // namespace model
