#include "src/model/level.h"

#include <utility>

namespace model {
namespace {

template <class E, std::size_t N>
using Words = std::array<std::pair<E, std::string_view>, N>;

constexpr Words<Level, 8> kLevelWords{{{Level::None, "none"},
                                       {Level::May, "may"},
                                       {Level::Encrypt, "encrypt"},
                                       {Level::Fingerprint, "fingerprint"},
                                       {Level::Dane, "dane"},
                                       {Level::DaneOnly, "dane-only"},
                                       {Level::Verify, "verify"},
                                       {Level::Secure, "secure"}}};
constexpr Words<Fallback, 6> kFallbackWords{{{Fallback::Never, "never"},
                                             {Fallback::Bounce, "bounce"},
                                             {Fallback::AfterRetry, "after-retry"},
                                             {Fallback::UnlessOffered, "unless-offered"},
                                             {Fallback::Native, "native"},
                                             {Fallback::Reroute, "reroute"}}};
constexpr Words<TlsVersion, 4> kTlsVersionWords{{{TlsVersion::Tls10, "TLSv1"},
                                                 {TlsVersion::Tls11, "TLSv1.1"},
                                                 {TlsVersion::Tls12, "TLSv1.2"},
                                                 {TlsVersion::Tls13, "TLSv1.3"}}};
constexpr Words<RowMode, 2> kRowModeWords{
    {{RowMode::Enforce, "enforce"}, {RowMode::Observe, "observe"}}};

// In the order of the enumerators, so that a value is the place of its word.
template <class E, std::size_t N>
constexpr bool are_in_order(const Words<E, N>& words) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words.at(i).first != static_cast<E>(i)) return false;
  }
  return true;
}
static_assert(are_in_order(kLevelWords) && are_in_order(kFallbackWords) &&
              are_in_order(kTlsVersionWords) && are_in_order(kRowModeWords));

template <class E, std::size_t N>
std::string_view word_of(const Words<E, N>& words, E value) {
  const auto place = static_cast<std::size_t>(value);
  return place < N ? words.at(place).second : std::string_view();
}

template <class E, std::size_t N>
std::optional<E> value_of(const Words<E, N>& words, std::string_view text) {
  for (const auto& [each, word] : words) {
    if (word == text) return each;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_word(Level level) {
  return word_of(kLevelWords, level);
}
std::string_view to_word(Fallback fallback) {
  return word_of(kFallbackWords, fallback);
}
std::string_view to_word(TlsVersion version) {
  return word_of(kTlsVersionWords, version);
}
std::string_view to_word(RowMode mode) {
  return word_of(kRowModeWords, mode);
}

std::optional<Level> parse_level(std::string_view word) {
  return value_of(kLevelWords, word);
}
std::optional<Fallback> parse_fallback(std::string_view word) {
  return value_of(kFallbackWords, word);
}
std::optional<TlsVersion> parse_tls_version(std::string_view word) {
  return value_of(kTlsVersionWords, word);
}
std::optional<RowMode> parse_row_mode(std::string_view word) {
  return value_of(kRowModeWords, word);
}

std::string_view allowed_levels() {
  return "none, may, encrypt, fingerprint, dane, dane-only, verify, secure";
}
std::string_view allowed_fallbacks() {
  return "never, bounce, after-retry, unless-offered, native, reroute";
}

}  // namespace model
