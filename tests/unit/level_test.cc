#include "src/model/level.h"

#include "tests/unit/catch.h"

using namespace model;

TEST_CASE("level: every word reads back as what it stands for") {
  for (const auto level : kLevels) {
    INFO(to_word(level));
    CHECK_FALSE(to_word(level).empty());
    CHECK(parse_level(to_word(level)) == level);
    CHECK(allowed_levels().find(to_word(level)) != std::string_view::npos);
  }
  for (const auto fallback : kFallbacks) {
    CHECK(parse_fallback(to_word(fallback)) == fallback);
    CHECK(allowed_fallbacks().find(to_word(fallback)) != std::string_view::npos);
  }
  for (const auto version : kTlsVersions) CHECK(parse_tls_version(to_word(version)) == version);
  for (const auto mode : kRowModes) CHECK(parse_row_mode(to_word(mode)) == mode);
}

TEST_CASE("level: the words are those of DESIGN and of Postfix, to the letter") {
  CHECK(to_word(Level::DaneOnly) == "dane-only");
  CHECK(to_word(Fallback::AfterRetry) == "after-retry");
  CHECK(to_word(Fallback::UnlessOffered) == "unless-offered");
  CHECK(to_word(TlsVersion::Tls10) == "TLSv1");
  CHECK(to_word(TlsVersion::Tls13) == "TLSv1.3");
  for (const auto* bad : {"", "Encrypt", "halfdane", "encrypt ", "dane_only", "auto"}) {
    INFO(bad);
    CHECK_FALSE(parse_level(bad));
  }
}

TEST_CASE("level: Postfix may deliver in clear at none, may and dane alone") {
  for (const auto level : kLevels) {
    INFO(to_word(level));
    const bool may_be_clear = level == Level::None || level == Level::May || level == Level::Dane;
    CHECK(is_tls_required(level) == !may_be_clear);
  }
}

TEST_CASE("level: what requires TLS is stricter than what doesn't") {
  for (const auto strict : kLevels) {
    for (const auto loose : kLevels) {
      if (!is_tls_required(strict) || is_tls_required(loose)) continue;
      INFO(to_word(strict) << " against " << to_word(loose));
      CHECK(strictness(strict) > strictness(loose));
    }
  }
  CHECK(strictness(Level::Secure) > strictness(Level::Verify));
  CHECK(strictness(Level::Verify) > strictness(Level::Encrypt));
  CHECK(strictness(Fallback::Never) == strictness(Fallback::Bounce));
  CHECK(strictness(Fallback::Never) > strictness(Fallback::UnlessOffered));
  CHECK(strictness(Fallback::UnlessOffered) > strictness(Fallback::AfterRetry));
  CHECK(strictness(Fallback::AfterRetry) > strictness(Fallback::Native));
}

TEST_CASE("level: match has a meaning where Postfix takes it") {
  for (const auto level : kLevels) {
    INFO(to_word(level));
    CHECK(is_match_allowed(level) ==
          (level == Level::Fingerprint || level == Level::Verify || level == Level::Secure));
  }
}
