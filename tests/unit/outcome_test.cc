// What a text of map `outcome` proves, and what it doesn't though it looks so: DESIGN section 3.
#include "tlsmap/outcome.h"

#include <string>
#include <vector>

#include "src/base/text.h"
#include "tests/unit/catch.h"

using model::Cause;
using model::Level;
using model::Security;

namespace {

tlsmap::Outcome parsed(const std::string& key) {
  INFO(key);
  const auto outcome = tlsmap::parse_outcome(key);
  REQUIRE(outcome);
  return *outcome;
}

model::Evidence evidence(const std::string& key, std::optional<Level> level = Level::Encrypt) {
  const auto found = tlsmap::evidence_of(parsed(key), level);
  INFO(key);
  REQUIRE(found);
  return *found;
}

bool is_silent(const std::string& key) {
  return !tlsmap::evidence_of(parsed(key), Level::Encrypt) &&
         !tlsmap::evidence_of(parsed(key), std::nullopt);
}

std::optional<std::string> kept(const std::string& key) {
  return tlsmap::keep_refused(parsed(key));
}

std::optional<std::string> bounced(const std::string& key) {
  return tlsmap::bounce_failed(parsed(key));
}

const std::string kNotOffered = "TLS is required, but was not offered by host ";
const std::string kRefused = "TLS is required, but host ";

// Each of Postfix's own texts about TLS, for one host where it names one.
const std::vector<std::string>& own_texts() {
  static const std::vector<std::string> kTexts{
      "Cannot start TLS: handshake failure",
      "Server certificate not verified",
      "Server certificate not trusted",
      "client TLS configuration problem",
      "TLS is required, but our TLS engine is unavailable",
      "TLS is required, but unavailable",
      "no TLSA records found",
      "non DNSSEC destination",
      "TLSA records unusable",
      "TLSA lookup error for mx.a.test:25",
      kNotOffered + "mx.a.test[192.0.2.1]",
      kRefused + "mx.a.test[192.0.2.1] refused to start TLS: 454 4.7.0 TLS not available",
      "lost connection with mx.a.test[192.0.2.1] while receiving the STARTTLS response",
      "conversation with mx.a.test[192.0.2.1] timed out while receiving the STARTTLS response"};
  return kTexts;
}

}  // namespace

TEST_CASE("outcome: a key is a class, a detail and a text, or nothing") {
  const std::string key = "4.7.5 Cannot start TLS: handshake failure";
  const auto outcome = parsed(key);
  CHECK(outcome.dsn_class == '4');
  CHECK(outcome.dsn == "4.7.5");
  CHECK(outcome.text == "Cannot start TLS: handshake failure");
  CHECK(parsed("5.999.999 x").dsn == "5.999.999");
  const std::string text =
      GENERATE("", "4", "4.7.5", "4.7.5 ", "4.7 x", "4.7.5.1 x", "3.0.0 x", "1.7.5 x", "44.7.5 x",
               "4.1000.5 x", "4.7.1000 x", "4..5 x", " 4.7.5 x", "4.7.5\tx", "4.-7.5 x", "4,7,5 x",
               "\xd9\xa4.7.5 x", "Cannot start TLS: handshake failure");
  INFO(text);
  CHECK_FALSE(tlsmap::parse_outcome(text));
}

TEST_CASE("outcome: arrived mail proves TLS where TLS was required, and nothing elsewhere") {
  struct Case {
    std::optional<Level> level;
    Security security;
  };
  const auto given = GENERATE(
      Case{std::nullopt, Security::Unknown}, Case{Level::None, Security::Unknown},
      Case{Level::May, Security::Unknown}, Case{Level::Dane, Security::Unknown},
      Case{Level::Encrypt, Security::Encrypted}, Case{Level::Fingerprint, Security::Authenticated},
      Case{Level::DaneOnly, Security::Authenticated}, Case{Level::Verify, Security::Authenticated},
      Case{Level::Secure, Security::Authenticated});
  const auto seen = evidence("2.0.0 250 2.0.0 taken by mx.good.test", given.level);
  CHECK(seen.outcome.security == given.security);
  CHECK_FALSE(seen.outcome.cause);
  CHECK_FALSE(seen.is_trusted);
  CHECK(seen.source == model::Source::Outcome);
}

TEST_CASE("outcome: what a peer says of mail that arrived is never looked at") {
  for (const auto& text : own_texts()) {
    for (const auto level : {Level::May, Level::Encrypt}) {
      const auto seen = evidence("2.0.0 " + text, level);
      CHECK_FALSE(seen.outcome.cause);
      CHECK(seen.mx.empty());
      CHECK(seen.text.find("Cannot") == std::string::npos);
    }
    CHECK_FALSE(kept("2.0.0 " + text));
    CHECK_FALSE(bounced("2.0.0 " + text));
  }
}

TEST_CASE("outcome: a failure that isn't of Postfix's own wording has no cause") {
  for (const auto& text : own_texts()) {
    INFO(text);
    CHECK(evidence("4.7.5 " + text).outcome.cause);
    // In the mouth of a peer, behind whatever Postfix puts before his words.
    for (const std::string before :
         {"host mx.a.test[192.0.2.1] said: 454 4.7.5 ", "host mx.a.test[192.0.2.1] said: ",
          "host mx.a.test[192.0.2.1] refused to talk to me: 554 ", " ", "x", "250 ",
          "delivery temporarily suspended: ", "Delivery temporarily suspended: ",
          "lost connection with mx.a.test[192.0.2.1] while sending RCPT TO: "}) {
      CHECK(is_silent("4.7.5 " + before + text));
      CHECK_FALSE(kept("5.7.0 " + before + text));
      CHECK_FALSE(bounced("4.7.5 " + before + text));
    }
    // A byte more or less. Behind "refused to start TLS: " anything may stand, and at the end of a
    // TLSA text any name.
    if (text.starts_with(kRefused) || text.starts_with("TLSA lookup")) continue;
    for (const std::string& bent :
         {text + " ", text + ".", text + std::string(1, '\0'), text + " (in reply to STARTTLS)",
          text.substr(0, text.size() - 1), base::to_lower(text)}) {
      if (bent == text) continue;
      INFO(bent);
      CHECK(is_silent("4.7.5 " + bent));
    }
  }
}

TEST_CASE("outcome: the DSN alone means nothing") {
  const std::string dsn = GENERATE("4.7.5", "4.7.4", "4.7.0", "5.7.5", "5.7.0", "4.4.2");
  CHECK(is_silent(dsn + " host mx.a.test[192.0.2.1] said: no (in reply to MAIL FROM)"));
  CHECK_FALSE(bounced(dsn + " TLS handshake failed"));
}

TEST_CASE("outcome: our own faults are told from the peer's") {
  for (const std::string text :
       {"client TLS configuration problem", "TLS is required, but our TLS engine is unavailable",
        "TLS is required, but unavailable"}) {
    const auto seen = evidence("4.7.5 " + text);
    CHECK(seen.outcome.cause == Cause::LocalFault);
    CHECK_FALSE(seen.was_offered);
  }
}

TEST_CASE("outcome: a certificate at fault is encrypted, its owner not confirmed") {
  const auto seen = evidence("4.7.5 Server certificate not verified", Level::Secure);
  CHECK(seen.outcome.security == Security::Encrypted);
  CHECK(seen.outcome.cause == Cause::ValidationFailure);
  CHECK(seen.was_offered);
}

TEST_CASE("outcome: a failed handshake shows the offer at every level") {
  const auto level = GENERATE(as<std::optional<Level>>(), std::nullopt, Level::None, Level::May,
                              Level::Encrypt, Level::Secure);
  const auto seen = evidence("4.7.5 Cannot start TLS: handshake failure", level);
  CHECK(seen.outcome.cause == Cause::HandshakeFailure);
  CHECK(seen.was_offered);
}

TEST_CASE("outcome: the host that Postfix names is kept, and only a host") {
  CHECK(evidence("4.7.4 " + kNotOffered + "mx.a.test[192.0.2.1]").mx == "mx.a.test[192.0.2.1]");
  CHECK(evidence("4.7.4 " + kNotOffered + "mx.a.test[2001:db8::1]").mx == "mx.a.test[2001:db8::1]");
  const std::string host =
      GENERATE("", "mx.a.test", "[192.0.2.1]", "mx a[192.0.2.1]", "mx\n[192.0.2.1]",
               "mx\x1b[2J[192.0.2.1]", "<b>[192.0.2.1]", "mx.a.test[]", "mx.a.test[192.0.2.1",
               "mx.a.test[192.0.2.1]]", "\xc3\xa4.test[192.0.2.1]", "mx.a.test[192.0.2.1] x");
  INFO(host);
  CHECK(is_silent("4.7.4 " + kNotOffered + host));
  CHECK_FALSE(bounced("4.7.4 " + kNotOffered + host));
  CHECK_FALSE(kept("5.7.0 " + kRefused + host + " refused to start TLS: 554 no"));
}

TEST_CASE("outcome: a name or an address that no host has is none") {
  const std::string long_name(256, 'a');
  const std::string long_address(109, '1');
  CHECK(is_silent("4.7.4 " + kNotOffered + long_name + "[192.0.2.1]"));
  CHECK(is_silent("4.7.4 " + kNotOffered + "mx.a.test[" + long_address + "]"));
  CHECK(evidence("4.7.4 " + kNotOffered + long_name.substr(1) + "[192.0.2.1]").outcome.cause);
}

TEST_CASE("outcome: a 5xx to STARTTLS is kept in our own words, whatever the peer wrote") {
  const std::string head = "5.7.0 " + kRefused + "mx.a.test[192.0.2.1] refused to start TLS: ";
  const std::string reply =
      GENERATE(as<std::string>(), "554 5.7.0 no", "", "554 \x1b[31m\r\n5.0.0 OK", "} OK 2.0.0",
               std::string(15'000, 'x'));
  CHECK(kept(head + reply) ==
        "4.7.0 TLS is required, but host mx.a.test[192.0.2.1] refused to start TLS");
}

TEST_CASE("outcome: what Postfix defers by itself is not kept again") {
  for (const auto& text : own_texts()) CHECK_FALSE(kept("4.7.0 " + text));
  for (const auto& text : own_texts()) {
    CHECK(kept("5.7.0 " + text).has_value() == text.starts_with(kRefused));
  }
}

TEST_CASE("outcome: the sender is told in our own words, with the host where one is named") {
  CHECK(bounced("4.7.5 Cannot start TLS: handshake failure") ==
        "5.7.5 TLS is required, and could not be started: handshake failure");
  CHECK(bounced("4.7.4 " + kNotOffered + "mx.a.test[192.0.2.1]") ==
        "5.7.4 TLS is required, but was not offered by host mx.a.test[192.0.2.1]");
  CHECK(bounced("4.7.5 Server certificate not verified") ==
        "5.7.5 TLS is required, and the server certificate could not be verified");
  for (const auto& text : own_texts()) {
    INFO(text);
    const auto told = bounced("4.7.5 " + text);
    REQUIRE(told);
    CHECK(told->starts_with("5.7."));
    CHECK(told->size() < 200);
    CHECK(told->find("454") == std::string::npos);
    // What bounces already needs no help.
    CHECK_FALSE(bounced("5.7.5 " + text));
  }
}

TEST_CASE("outcome: a path in the place of the host is no host") {
  const auto outcome =
      tlsmap::parse_outcome("4.7.4 TLS is required, but was not offered by host /run/peer");
  REQUIRE(outcome);
  const auto seen = tlsmap::evidence_of(*outcome, model::Level::Encrypt);
  REQUIRE(seen);
  CHECK(seen->mx.empty());
  CHECK_FALSE(tlsmap::bounce_failed(*outcome));
}
