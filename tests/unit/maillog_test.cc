// The lines of a mail log as Postfix 3.4 to 3.12 writes them, and as hostile hands do.
#include "src/wire/maillog.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/log_line.h"

using model::Cause;
using model::Security;
using test::fact_of;
using test::kHead;
using test::kStatus;
using wire::DeliveryWord;
using wire::PeerTrust;

namespace {

bool says_nothing(const std::string& line) {
  const auto parsed = wire::parse_log_line(line);
  return parsed && std::holds_alternative<wire::NothingSaid>(parsed->fact);
}

struct Named {
  std::string tag;
  std::string name;
};

}  // namespace

TEST_CASE("maillog: each form of stamp is read, and a stamp is not guessed") {
  struct Case {
    const char* text;
    wire::LogStamp stamp;
  };
  const auto given =
      GENERATE(Case{"Nov 22 03:12:47", {std::nullopt, 11, 22, 3, 12, 47, std::nullopt}},
               Case{"Nov  2 23:59:60", {std::nullopt, 11, 2, 23, 59, 60, std::nullopt}},
               Case{"2026-11-22T03:12:47Z", {2026, 11, 22, 3, 12, 47, 0}},
               Case{"2026-11-22T03:12:47.123456+01:00", {2026, 11, 22, 3, 12, 47, 60}},
               Case{"2026-11-22T03:12:47.123456-0330", {2026, 11, 22, 3, 12, 47, -210}},
               Case{"2026-11-22T03:12:47", {2026, 11, 22, 3, 12, 47, std::nullopt}});
  const std::string line = std::string(given.text) + " mail postfix/smtp[1]: x";
  const auto parsed = wire::parse_log_line(line);
  REQUIRE(parsed);
  CHECK(parsed->stamp == given.stamp);
  CHECK(parsed->host == "mail");
  const auto bad =
      GENERATE("Nov 32 03:12:47", "Nov 0 03:12:47", "Nox 22 03:12:47", "Nov 22 24:12:47",
               "2026-13-22T03:12:47Z", "2026-11-22T03:12:47.Z", "2026-11-22T03:12:47+1",
               "2026-11-22 03:12:47", "", "03:12:47", "Nov 22 03:60:47", "Nov 22 03:12:61",
               "Nov 22  03:12:47", "Nov 22 03:12.47", "2026-00-22T03:12:47Z",
               "2026-11-00T03:12:47Z", "2026-11-32T03:12:47Z", "2026-11-22T03:12:47+24:00",
               "2026-11-22T03:12:47+01:60", "2026/11-22T03:12:47Z");
  CHECK_FALSE(wire::parse_log_line(std::string(bad) + " mail postfix/smtp[1]: x"));
}

TEST_CASE("maillog: a stamp without a year is never of the future") {
  using std::chrono::sys_days;
  const auto now = sys_days(std::chrono::year(2027) / 1 / 3) + std::chrono::hours(12);
  const auto at = [&](const char* text) {
    const std::string line = std::string(text) + " mail postfix/smtp[1]: x";
    return base::iso_time(wire::to_time(wire::parse_log_line(line)->stamp, now));
  };
  CHECK(at("Jan  3 11:00:00") == "2027-01-03T11:00:00Z");
  CHECK(at("Jan  4 11:00:00") == "2027-01-04T11:00:00Z");  // a zone east of UTC
  CHECK(at("Jan  4 13:00:00") == "2026-01-04T13:00:00Z");
  CHECK(at("Dec 31 23:59:59") == "2026-12-31T23:59:59Z");
  CHECK(at("2020-02-29T01:00:00+01:00") == "2020-02-29T00:00:00Z");
}

TEST_CASE("maillog: any syslog_name stands before the process") {
  const auto given = GENERATE(Named{"postfix/smtp", "smtp"}, Named{"postfix-out/smtp", "smtp"},
                              Named{"postfix/relay/smtp", "smtp"}, Named{"smtp", "smtp"},
                              Named{"mx1/submission/smtp", "smtp"}, Named{"postfix/lmtp", "lmtp"});
  const std::string line = "Nov 22 03:12:47 h " + given.tag + "[4294967295]: " + kStatus +
                           "dsn=2.0.0, status=sent (250 ok)";
  const auto parsed = wire::parse_log_line(line);
  REQUIRE(parsed);
  CHECK(parsed->process.tag == given.tag);
  CHECK(parsed->process.name == given.name);
  CHECK(wire::program_of(line) == given.name);
  CHECK(parsed->process.pid == 4294967295U);
  CHECK(std::holds_alternative<wire::DeliveryStatus>(parsed->fact));
}

TEST_CASE("maillog: a line that names no program is nobody's") {
  const auto line = GENERATE("", "]: ", "[1]: ", "no program at all", "Nov 22 03:12:47 h smtp: x");
  CHECK(wire::program_of(line).empty());
}

TEST_CASE("maillog: a host in brackets is none, so that the first brackets are the tag's") {
  const std::string rest = " postfix/smtp[1]: " + kStatus + "dsn=2.0.0, status=sent (250 ok)";
  const auto host = GENERATE("m2]:", "[m2", "[192.0.2.1]", "m2[7]:");
  CHECK_FALSE(wire::parse_log_line("Nov 22 03:12:47 " + std::string(host) + rest));
  CHECK(wire::parse_log_line("Nov 22 03:12:47 2001:db8::7" + rest));
}

TEST_CASE("maillog: only the processes that deliver are heard") {
  const auto name = GENERATE("smtpd", "cleanup", "local", "pipe", "smtp-sink", "sshd");
  CHECK(says_nothing("Nov 22 03:12:47 h postfix/" + std::string(name) + "[1]: " + kStatus +
                     "dsn=2.0.0, status=sent (250 ok)"));
  CHECK(says_nothing("Nov 22 03:12:47 h postfix/" + std::string(name) +
                     "[1]: Verified TLS connection established to mx.a[192.0.2.1]:25: TLSv1.3"));
}

TEST_CASE("maillog: established sessions of every version") {
  struct Case {
    const char* text;
    PeerTrust trust;
    bool is_reused;
    wire::LogPeer peer;
    const char* protocol;
  };
  const auto given = GENERATE(
      Case{"Untrusted TLS connection established to mx.a.test[192.0.2.1]:25: TLSv1.2 with cipher "
           "ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
           PeerTrust::Untrusted,
           false,
           {"mx.a.test", "192.0.2.1", "25"},
           "TLSv1.2"},
      Case{"Trusted TLS connection established to mx2.peer.test[2001:db8::5]:25: TLSv1.3 with "
           "cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature "
           "ECDSA (prime256v1) server-digest SHA256",
           PeerTrust::Trusted,
           false,
           {"mx2.peer.test", "2001:db8::5", "25"},
           "TLSv1.3"},
      Case{"Verified TLS connection established to mx.a.test[192.0.2.1]:587: TLSv1.3 with cipher "
           "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519MLKEM768 server-signature "
           "RSA-PSS (2048 bit raw public key) server-digest SHA256",
           PeerTrust::Verified,
           false,
           {"mx.a.test", "192.0.2.1", "587"},
           "TLSv1.3"},
      Case{"Anonymous TLS connection established to /var/run/lmtp: TLSv1.2 with cipher ADH (1/1)",
           PeerTrust::Anonymous,
           false,
           {"", "/var/run/lmtp", ""},
           "TLSv1.2"},
      Case{"Trusted TLS connection established to mail[private/lmtp]: TLSv1.3 with cipher A (1)",
           PeerTrust::Trusted,
           false,
           {"mail", "private/lmtp", ""},
           "TLSv1.3"},
      Case{"Verified TLS connection reused to mx.a.test[192.0.2.1]:25: TLSv1.3 with cipher A (1)",
           PeerTrust::Verified,
           true,
           {"mx.a.test", "192.0.2.1", "25"},
           "TLSv1.3"});
  const auto process = GENERATE("smtp", "lmtp", "tlsproxy");
  const std::string line =
      "Nov 22 03:12:47 h postfix/" + std::string(process) + "[9]: " + given.text;
  const auto session = fact_of<wire::TlsSession>(line);
  CHECK(session.trust == given.trust);
  CHECK(session.is_reused == given.is_reused);
  CHECK(session.peer == given.peer);
  CHECK(session.protocol == given.protocol);
}

TEST_CASE("maillog: a session that came in, or that is set up, is none that went out") {
  const auto text = GENERATE(
      "Trusted TLS connection established from mx.a[192.0.2.1]:25: TLSv1.3 with cipher A (1)",
      "setting up TLS connection to mx.a[192.0.2.1]:25",
      "X Trusted TLS connection established to mx.a[192.0.2.1]:25: TLSv1.3 with cipher A (1)",
      "Trusted TLS connection established to mx.a[192.0.2.1]:25",
      "Trusted TLS connection established to mx.a: TLSv1.3 with cipher A (1)");
  CHECK(says_nothing(kHead + text));
}

TEST_CASE("maillog: what broke a handshake is told as far as the system knows") {
  struct Case {
    const char* end;
    Cause cause;
  };
  const auto given = GENERATE(
      Case{"-1", Cause::HandshakeFailure}, Case{"0", Cause::HandshakeFailure},
      Case{"lost connection", Cause::HangUp}, Case{"Connection reset by peer", Cause::HangUp},
      Case{"Connection timed out", Cause::Timeout},
      Case{"Connection timed out and more", Cause::HandshakeFailure});
  const std::string line =
      kHead + "SSL_connect error to mx1.peer.test[192.0.2.10]:25: " + given.end;
  const auto error = fact_of<wire::HandshakeError>(line);
  CHECK(error.cause == given.cause);
  CHECK(error.peer == wire::LogPeer{"mx1.peer.test", "192.0.2.10", "25"});
  const std::string proxied =
      "Nov 22 03:12:47 h postfix/tlsproxy[7]: TLS handshake failed for "
      "service=smtp:peer.test peer=[192.0.2.10]:25";
  CHECK(fact_of<wire::HandshakeError>(proxied).peer == wire::LogPeer{"", "192.0.2.10", "25"});
}

TEST_CASE("maillog: what was wrong with a certificate") {
  struct Case {
    const char* text;
    Cause cause;
  };
  const auto given = GENERATE(
      Case{"certificate verification failed for P: self-signed certificate",
           Cause::CertificateNotTrusted},
      Case{"certificate verification failed for P: untrusted issuer /CN=num=62:certificate has "
           "expired",
           Cause::CertificateNotTrusted},
      Case{"certificate verification failed for P: not trusted by local or TLSA policy",
           Cause::CertificateNotTrusted},
      Case{"server certificate verification failed for P: certificate has expired",
           Cause::CertificateExpired},
      Case{"server certificate verification failed for P: certificate not yet valid",
           Cause::ValidationFailure},
      Case{"server certificate verification failed for P: num=10:certificate has expired",
           Cause::CertificateExpired},
      Case{"server certificate verification failed for P: num=62 hostname mismatch",
           Cause::ValidationFailure},
      Case{"server certificate verification failed for P: num=:", Cause::ValidationFailure},
      Case{"certificate verification failed for P: external policy failure (sts_webpki_invalid",
           Cause::ValidationFailure},
      Case{"certificate verification failed for P: external policy failure (new-word)",
           Cause::ValidationFailure},
      Case{"server certificate verification failed for P: num=62:hostname mismatch",
           Cause::CertificateHostMismatch},
      Case{"server certificate verification failed for P: num=65:no matching DANE TLSA records",
           Cause::CertificateNotTrusted},
      Case{"server certificate verification failed for P: num=24:invalid CA certificate",
           Cause::ValidationFailure},
      Case{"certificate verification failed for P: external policy failure (sts_webpki_invalid)",
           Cause::StsWebpkiInvalid});
  std::string text = given.text;
  text.replace(text.find(" P:"), 3, " mx.a.test[192.0.2.1]:25:");
  const std::string line = kHead + text;
  const auto error = fact_of<wire::CertificateError>(line);
  CHECK(error.cause == given.cause);
  CHECK(error.peer.host == "mx.a.test");
}

TEST_CASE("maillog: a delivery's line, old and new, with everything that can stand in it") {
  const std::string full =
      "2026-11-22T03:12:47.5+01:00 h postfix/smtp[4243]: 4bXyZw1GqnzKm: to=<u@peer.test>, "
      "orig_to=<alias@home.test>, relay=mx1.peer.test[192.0.2.10]:25, conn_use=3, delay=612, "
      "delays=611/0.02/0.6/0.1, tls=may:none/requiretls, dsn=2.0.0, status=sent (250 2.0.0 Ok)";
  const auto status = fact_of<wire::DeliveryStatus>(full);
  CHECK(status.queue_id == "4bXyZw1GqnzKm");
  CHECK(status.to == "u@peer.test");
  CHECK(wire::domain_of(status) == "peer.test");
  CHECK(status.relay == wire::LogPeer{"mx1.peer.test", "192.0.2.10", "25"});
  CHECK(status.conn_use == 3);
  CHECK(status.delays == "611/0.02/0.6/0.1");
  CHECK(status.dsn == "2.0.0");
  CHECK(status.word == DeliveryWord::Sent);
  CHECK(status.text == "250 2.0.0 Ok");
  REQUIRE(status.tls);
  CHECK(wire::security_of(*status.tls) == Security::Clear);

  const std::string none =
      kHead +
      "4ABC: to=<u@peer.test>, relay=none, delay=0, delays=0/0/0/0, dsn=4.7.5, "
      "status=deferred (client TLS configuration problem)";
  const auto local = fact_of<wire::DeliveryStatus>(none);
  CHECK_FALSE(local.relay);
  CHECK_FALSE(local.tls);
  CHECK(local.meaning.cause == Cause::LocalFault);

  const std::string later = kHead + kStatus + "tls=quantum, dsn=2.0.0, status=sent (250 ok)";
  REQUIRE(fact_of<wire::DeliveryStatus>(later).tls);
  CHECK(wire::security_of(*fact_of<wire::DeliveryStatus>(later).tls) == Security::Unknown);
}

TEST_CASE("maillog: words of 3.11's tls=") {
  struct Case {
    const char* text;
    Security security;
    bool is_violated;
    bool is_undecided;
  };
  const auto given = GENERATE(
      Case{"none", Security::Clear, false, false}, Case{"may", Security::Encrypted, false, false},
      Case{"may:none", Security::Clear, false, false}, Case{"may?", Security::Unknown, false, true},
      Case{"encrypt", Security::Encrypted, false, false},
      Case{"!encrypt", Security::Unknown, true, false},
      Case{"secure", Security::Authenticated, false, false},
      Case{"fingerprint", Security::Authenticated, false, false},
      Case{"dane-only", Security::Authenticated, false, false},
      Case{"!secure", Security::Unknown, true, false},
      Case{"dane", Security::Authenticated, false, false},
      Case{"dane:halfdane", Security::Encrypted, false, false},
      Case{"halfdane", Security::Encrypted, false, false},
      Case{"dane:encrypt", Security::Encrypted, false, false},
      Case{"unknown?", Security::Unknown, false, true},
      Case{"verify/requiretls", Security::Authenticated, false, false});
  INFO(given.text);
  const auto feature = wire::parse_tls_feature(given.text);
  REQUIRE(feature);
  CHECK(wire::security_of(*feature) == given.security);
  CHECK(feature->is_violated == given.is_violated);
  CHECK(feature->is_undecided == given.is_undecided);
  const auto bad = GENERATE("", "?", "!", "may:", "May", "may none", "strict", "may??");
  CHECK_FALSE(wire::parse_tls_feature(bad));
}

TEST_CASE("maillog: an address can't forge the rest of its line") {
  const std::string line =
      kHead + R"(4ABC: to=<"a@victim.test>, relay=mx.victim.test[192.0.2.9]:25, delay=1, )"
              R"(delays=1/0/0/0, dsn=2.0.0, status=sent (\"x"@evil.test>, relay=none, delay=2, )"
              R"(delays=2/0/0/0, dsn=4.4.1, status=deferred (no route))";
  const auto status = fact_of<wire::DeliveryStatus>(line);
  CHECK(wire::domain_of(status) == "evil.test");
  CHECK(status.word == DeliveryWord::Deferred);
  CHECK_FALSE(status.relay);
}

TEST_CASE("maillog: the other lines that help to join") {
  const std::string offer = kHead + "Host offered STARTTLS: [mx.a.test]";
  CHECK(fact_of<wire::StarttlsOffered>(offer).host == "mx.a.test");
  const std::string report = kHead +
                             "TLSRPT: status=failure, domain=c09.wrongname.test, "
                             "receiving_mx=mx.wrongname.test[203.0.113.13], "
                             "failure_type=certificate_host_mismatch";
  CHECK(fact_of<wire::TlsReport>(report).domain == "c09.wrongname.test");
  CHECK(fact_of<wire::TlsReport>(report).cause == Cause::CertificateHostMismatch);
  const std::string trouble =
      kHead + "warning: TLS policy lookup for [mx.a.test]:587/mx.a.test: no TLSA records found";
  CHECK(fact_of<wire::PolicyTrouble>(trouble).next_hop == "[mx.a.test]:587");
  CHECK(fact_of<wire::PolicyTrouble>(trouble).cause == Cause::DaneRequired);
  const auto started = GENERATE("daemon started -- version 3.7.11, configuration /etc/postfix",
                                "reload -- version 3.7.11, configuration /etc/postfix");
  fact_of<wire::ServiceStarted>("Nov 22 03:12:47 h postfix/master[1]: " + std::string(started));
}

TEST_CASE("maillog: a line cut at any byte says no more than its whole fields do") {
  const std::vector<std::string> lines{
      kHead + kStatus + "tls=may:none, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
      kHead + kStatus +
          "dsn=4.7.4, status=deferred (TLS is required, but was not offered by host "
          "mx.a.test[203.0.113.14])",
      kHead + "Verified TLS connection established to mx.a[192.0.2.1]:25: TLSv1.3 with cipher A",
      kHead + "4ABC: Cannot start TLS: handshake failure"};
  for (const auto& line : lines) {
    const auto whole = wire::parse_log_line(line);
    for (std::size_t length = 0; length < line.size(); ++length) {
      const auto part = wire::parse_log_line(std::string_view(line).substr(0, length));
      if (!part || std::holds_alternative<wire::NothingSaid>(part->fact)) continue;
      REQUIRE(part->fact.index() == whole->fact.index());
      if (const auto* status = std::get_if<wire::DeliveryStatus>(&part->fact)) {
        const auto& full = std::get<wire::DeliveryStatus>(whole->fact);
        CHECK((status->word == full.word && status->relay == full.relay && status->to == full.to));
        CHECK_FALSE(status->meaning.cause);
        CHECK(status->tls.has_value() == full.tls.has_value());
      } else if (const auto* session = std::get_if<wire::TlsSession>(&part->fact)) {
        CHECK(session->peer == std::get<wire::TlsSession>(whole->fact).peer);
      }
    }
  }
}

TEST_CASE("maillog: a line may end as on other systems") {
  const auto line = kHead + kStatus + "dsn=2.0.0, status=sent (250 Ok)";
  CHECK(fact_of<wire::DeliveryStatus>(line + "\r").queue_id == "4ABC");
}

TEST_CASE("maillog: a status of an id, a field or a word that Postfix does not write is none") {
  const std::string tail = kStatus.substr(4) + "dsn=2.0.0, status=sent (250 Ok)";
  for (const auto& id : {std::string("4AB"), std::string(40, 'B'), std::string("4abc"),
                         std::string("4bXyZw1GqnzKa")}) {
    INFO(id);
    CHECK(says_nothing(kHead + id + tail));
  }
  CHECK(says_nothing(kHead + "4ABC: for=<u@peer.test>" + tail.substr(tail.find(", relay"))));
  CHECK(says_nothing(kHead + kStatus + "dsn=2.0.0, status=lost (250 Ok)"));
  CHECK(says_nothing(kHead + kStatus + "dsn=2.0.0, status=sent"));
}

TEST_CASE("maillog: hostile lines are no lines") {
  CHECK_FALSE(wire::parse_log_line(""));
  CHECK_FALSE(wire::parse_log_line(std::string(100, '\0')));
  CHECK_FALSE(wire::parse_log_line(kHead + std::string(wire::kLongestLogLine, 'x')));
  CHECK_FALSE(wire::parse_log_line("Nov 22 03:12:47 mail postfix/smtp[99999999999]: x"));
  CHECK_FALSE(wire::parse_log_line("Nov 22 03:12:47 mail postfix/smtp: x"));
  CHECK(says_nothing(kHead + std::string("\0\xff\x1b[31m", 7)));
  CHECK(says_nothing(kHead + "warning: to=<a@b.test>, relay=none, delay=0, delays=0/0/0/0, "
                             "dsn=2.0.0, status=sent (ok)"));
  CHECK(says_nothing(kHead + "4ABC: to=<" + std::string(600, 'a') + "@b.test>, relay=none, " +
                     "delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)"));
  CHECK(says_nothing(kHead + "Trusted TLS connection established to " + std::string(300, 'a') +
                     "[192.0.2.1]:25: TLSv1.3 with cipher A"));
}
