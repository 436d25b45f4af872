// The words of a profile: Postfix's TLS security levels, our fallbacks, the TLS versions.
// Data only; what follows from a level is decided in engine/.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace model {

// Postfix tls/tls_level.c, in the order of its documentation.
enum class Level : std::uint8_t { None, May, Encrypt, Fingerprint, Dane, DaneOnly, Verify, Secure };
inline constexpr std::array kLevels{Level::None,        Level::May,   Level::Encrypt,
                                    Level::Fingerprint, Level::Dane,  Level::DaneOnly,
                                    Level::Verify,      Level::Secure};

// DESIGN section 4.
enum class Fallback : std::uint8_t { Never, Bounce, AfterRetry, UnlessOffered, Native, Reroute };
inline constexpr std::array kFallbacks{Fallback::Never,      Fallback::Bounce,
                                       Fallback::AfterRetry, Fallback::UnlessOffered,
                                       Fallback::Native,     Fallback::Reroute};

enum class TlsVersion : std::uint8_t { Tls10, Tls11, Tls12, Tls13 };
inline constexpr std::array kTlsVersions{TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12,
                                         TlsVersion::Tls13};

// Of one row: whether it holds, or only records what it would have done.
enum class RowMode : std::uint8_t { Enforce, Observe };
inline constexpr std::array kRowModes{RowMode::Enforce, RowMode::Observe};

// The exact words of the policy database: lower case, "dane-only", "after-retry", "TLSv1.2".
std::string_view to_word(Level level);
std::string_view to_word(Fallback fallback);
std::string_view to_word(TlsVersion version);
std::string_view to_word(RowMode mode);
std::optional<Level> parse_level(std::string_view word);
std::optional<Fallback> parse_fallback(std::string_view word);
std::optional<TlsVersion> parse_tls_version(std::string_view word);
std::optional<RowMode> parse_row_mode(std::string_view word);

// "none, may, encrypt, ...": what an error message says is allowed.
std::string_view allowed_levels();
std::string_view allowed_fallbacks();

// True where Postfix delivers over TLS or not at all (tls/tls.h: TLS_REQUIRED). `dane` isn't:
// without a TLSA record it is `may` [F 3.1].
[[nodiscard]] constexpr bool is_tls_required(Level level) {
  return level != Level::None && level != Level::May && level != Level::Dane;
}

// Levels at which `match=` has a meaning to Postfix: anywhere else it invalidates the policy
// [F 2.4].
[[nodiscard]] constexpr bool is_match_allowed(Level level) {
  return level == Level::Fingerprint || level == Level::Verify || level == Level::Secure;
}

// How much a level asks of a delivery, for "did this edit weaken anything?"; equal ranks don't.
[[nodiscard]] constexpr int strictness(Level level) {
  switch (level) {
    case Level::None:
      return 0;
    case Level::May:
      return 1;
    case Level::Dane:
      return 2;
    case Level::Encrypt:
      return 3;
    case Level::Verify:
      return 4;
    case Level::DaneOnly:
    case Level::Fingerprint:
    case Level::Secure:
      return 5;
  }
  return 5;
}

// How firmly a fallback holds to its level; higher holds mail longer.
[[nodiscard]] constexpr int strictness(Fallback fallback) {
  switch (fallback) {
    case Fallback::Native:
      return 0;
    case Fallback::AfterRetry:
      return 1;
    case Fallback::UnlessOffered:
      return 2;
    case Fallback::Never:
    case Fallback::Bounce:
    case Fallback::Reroute:
      return 3;
  }
  return 3;
}

}  // namespace model
