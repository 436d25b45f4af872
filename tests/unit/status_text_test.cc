// Postfix's own texts on TLS in a status line, and the same words in a peer's mouth.
#include "src/wire/status_text.h"

#include <string>

#include "src/wire/maillog.h"
#include "tests/unit/catch.h"
#include "tests/unit/log_line.h"

using model::Cause;
using test::fact_of;
using test::kHead;
using test::kStatus;

namespace {

// As the text of a deferral.
wire::StatusText meaning_of(const std::string& text) {
  const std::string line = kHead + kStatus + "dsn=4.7.5, status=deferred (" + text + ")";
  return fact_of<wire::DeliveryStatus>(line).meaning;
}

}  // namespace

TEST_CASE("status text: Postfix's own words on TLS, whole") {
  struct Case {
    const char* text;
    Cause cause;
  };
  const auto given = GENERATE(
      Case{"Cannot start TLS: handshake failure", Cause::HandshakeFailure},
      Case{"TLS is required, but was not offered by host mx.a.test[203.0.113.14]",
           Cause::StarttlsNotSupported},
      Case{"TLS is required, but host mx.a.test[203.0.113.15] refused to start TLS: 454 4.7.0 TLS "
           "not available",
           Cause::StarttlsRefused},
      Case{"Server certificate not verified", Cause::ValidationFailure},
      Case{"Server certificate not trusted", Cause::CertificateNotTrusted},
      Case{"lost connection with mx.a.test[192.0.2.1] while receiving the STARTTLS response",
           Cause::HangUp},
      Case{"conversation with mx.a.test[2001:db8::1] timed out while receiving the STARTTLS "
           "response",
           Cause::Timeout},
      Case{"client TLS configuration problem", Cause::LocalFault},
      Case{"TLS is required, but our TLS engine is unavailable", Cause::LocalFault},
      Case{"TLS is required, but unavailable", Cause::LocalFault},
      Case{"no TLSA records found", Cause::DaneRequired},
      Case{"non DNSSEC destination", Cause::DaneRequired},
      Case{"TLSA records unusable", Cause::TlsaInvalid},
      Case{"TLSA lookup error for mx.a.test:25", Cause::DnssecInvalid});
  CHECK(meaning_of(given.text).cause == given.cause);
  // The same words on the way: one server of several.
  const std::string note = kHead + "4ABC: " + given.text;
  CHECK(fact_of<wire::ServerFailed>(note).cause == given.cause);
  // Nothing of it where a peer says it, or where more or less stands around it.
  CHECK_FALSE(meaning_of(std::string("host mx.a[192.0.2.1] said: 454 4.7.5 ") + given.text).cause);
  CHECK_FALSE(meaning_of(std::string(" ") + given.text).cause);
  if (given.cause != Cause::StarttlsRefused) {
    CHECK_FALSE(meaning_of(std::string(given.text) + " (in reply to STARTTLS command)").cause);
  }
  const std::string sent = kHead + kStatus + "dsn=2.0.0, status=sent (" + given.text + ")";
  CHECK_FALSE(fact_of<wire::DeliveryStatus>(sent).meaning.cause);
}

TEST_CASE("status text: trouble that is not TLS is none of ours") {
  const auto text = GENERATE(
      "connect to mx.a.test[192.0.2.1]:25: Connection refused",
      "host mx.a.test[192.0.2.1] said: 451 4.7.1 greylisted (in reply to RCPT TO command)",
      "Host or domain name not found. Name service error for name=x type=MX: Host not found",
      "Sender requested REQUIRETLS, but the server does not offer it");
  CHECK(meaning_of(text) == wire::StatusText{});
  const auto lost =
      GENERATE("lost connection with mx.a.test[192.0.2.1] while sending RCPT TO",
               "conversation with mx.a.test[192.0.2.1] timed out while sending MAIL FROM");
  CHECK(meaning_of(lost).is_connection_lost);
  CHECK_FALSE(meaning_of(lost).cause);
  const std::string note = kHead + "4ABC: " + lost;
  CHECK(fact_of<wire::ServerFailed>(note).is_connection_lost);
  const auto suspended =
      meaning_of("delivery temporarily suspended: Cannot start TLS: handshake failure");
  CHECK(suspended.is_suspended);
  CHECK_FALSE(suspended.cause);
}
