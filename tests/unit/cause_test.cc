// The words of evidence: they are stored in state.db and shown, so each must come back as itself.
#include "src/model/cause.h"

#include <set>

#include "tests/unit/catch.h"

using model::Cause;
using model::Security;

TEST_CASE("cause: every word is of its own and reads back as itself") {
  std::set<std::string_view> words;
  for (const Cause cause : model::kCauses) {
    const auto word = model::to_word(cause);
    CHECK_FALSE(word.empty());
    CHECK(words.insert(word).second);
    CHECK(model::parse_cause(word) == cause);
  }
  CHECK(words.size() == static_cast<std::size_t>(Cause::LocalFault) + 1);
  for (const Security security : model::kSecurities) {
    CHECK(model::parse_security(model::to_word(security)) == security);
  }
}

TEST_CASE("cause: the words are RFC 8460's where it has one") {
  for (const auto* word :
       {"starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
        "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
        "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"}) {
    CHECK(model::parse_cause(word));
  }
}

TEST_CASE("cause: what is no word of ours is none, in whatever case") {
  for (const auto* word : {"", "Handshake-Failure", "handshake", "handshake-failure "}) {
    CHECK_FALSE(model::parse_cause(word));
    CHECK_FALSE(model::parse_security(word));
  }
}

TEST_CASE("cause: a bad certificate comes with encryption, a missing STARTTLS without an offer") {
  CHECK_FALSE(model::is_tls_missing(Cause::CertificateExpired));
  CHECK(model::is_starttls_offered(Cause::CertificateExpired));
  CHECK(model::is_tls_missing(Cause::StarttlsNotSupported));
  CHECK_FALSE(model::is_starttls_offered(Cause::StarttlsNotSupported));
  CHECK(model::is_tls_missing(Cause::HandshakeFailure));
  CHECK(model::is_starttls_offered(Cause::HandshakeFailure));
  CHECK_FALSE(model::is_tls_missing(Cause::LocalFault));
  CHECK_FALSE(model::is_starttls_offered(Cause::LocalFault));
}
