// Lines of one smtp(8) process, joined to what became of a message.
#include "src/jobs/delivery_join.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::Cause;
using model::Outcome;
using model::Security;

namespace {

struct Seen {
  std::string destination;
  Outcome outcome;
  bool is_silent = false;
  bool is_unanswered = false;
  bool is_trusted = false;
};

// A log of lines "PID MESSAGE"; what came of it.
std::vector<Seen> read(const std::vector<std::string>& lines, std::size_t most = 100) {
  jobs::DeliveryJoin join(most);
  std::vector<Seen> seen;
  for (const auto& line : lines) {
    const auto blank = line.find(' ');
    const bool has_process = line.find('[') < blank;
    const std::string text =
        "Nov 22 03:12:47 h " +
        (has_process ? line : "postfix/smtp[" + line.substr(0, blank) + "]:" + line.substr(blank));
    const auto parsed = wire::parse_log_line(text);
    REQUIRE(parsed);
    if (const auto delivery = join.take(*parsed)) {
      seen.push_back({std::string(delivery->destination), delivery->outcome, delivery->is_silent,
                      delivery->is_unanswered, delivery->trust == wire::PeerTrust::Trusted});
    }
  }
  CHECK(join.process_count() <= most);
  return seen;
}

const std::string kMx1 = "mx1.a.test[192.0.2.1]:25";
const std::string kMx2 = "mx2.a.test[192.0.2.2]:25";

std::string session(const std::string& peer, const std::string& trust = "Trusted") {
  return trust + " TLS connection established to " + peer + ": TLSv1.3 with cipher A (1/1 bits)";
}
std::string status(const std::string& relay, const std::string& end,
                   const std::string& delays = "0.1/0.01/0.29/0", const std::string& id = "4ABC",
                   const std::string& to = "u@a.test") {
  return id + ": to=<" + to + ">, relay=" + relay + ", delay=1, delays=" + delays + ", " + end;
}
const std::string kSent = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";
std::string deferred(const std::string& text) {
  return "dsn=4.7.5, status=deferred (" + text + ")";
}
const std::string kNoHandshake = "Cannot start TLS: handshake failure";

}  // namespace

TEST_CASE("join: a session to the server that took the mail is encryption, or more") {
  struct Case {
    const char* trust;
    Security security;
  };
  const auto given =
      GENERATE(Case{"Anonymous", Security::Encrypted}, Case{"Untrusted", Security::Encrypted},
               Case{"Trusted", Security::Encrypted}, Case{"Verified", Security::Authenticated});
  const auto seen = read({"7 " + session(kMx1, given.trust), "7 " + status(kMx1, kSent)});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].outcome == Outcome{given.security, std::nullopt});
  CHECK(seen[0].destination == "a.test");
  CHECK_FALSE(seen[0].is_silent);
}

TEST_CASE("join: a session to another server, or of another process, proves nothing") {
  CHECK(read({"7 " + session(kMx2), "7 " + status(kMx1, kSent)})[0].is_silent);
  CHECK(read({"8 " + session(kMx1), "7 " + status(kMx1, kSent)})[0].is_silent);
  CHECK(read({"postfix/tlsproxy[7]: " + session(kMx1), "7 " + status(kMx1, kSent)})[0].is_silent);
  CHECK(read({"7 " + status(kMx1, kSent)})[0].outcome == Outcome{});
}

TEST_CASE("join: all recipients of one request share its session, the next request does not") {
  const auto seen = read({"7 " + session(kMx1), "7 " + status(kMx1, kSent),
                          "7 " + status(kMx1, kSent, "0.1/0.01/0.29/0.2", "4ABC", "v@b.test"),
                          "7 " + status(kMx1, kSent, "0.1/0.01/0.3/0", "4ABD"),
                          "7 " + status(kMx1, kSent, "300/0.01/0.3/0", "4ABD")});
  REQUIRE(seen.size() == 4);
  CHECK(seen[1].outcome.security == Security::Encrypted);
  CHECK(seen[1].destination == "b.test");
  CHECK(seen[2].is_silent);
  CHECK(seen[3].is_silent);
}

TEST_CASE("join: the same message tried again without TLS is not in the session of before") {
  const auto seen =
      read({"7 " + session(kMx1), "7 " + status(kMx1, deferred("host x said: 451 later")),
            "7 " + status(kMx1, kSent, "400/0.01/0.29/0")});
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].outcome == Outcome{Security::Encrypted, std::nullopt});
  CHECK(seen[1].is_silent);
}

TEST_CASE("join: a handshake that failed has the cause of the line before") {
  struct Case {
    const char* end;
    Cause cause;
  };
  const auto given =
      GENERATE(Case{"-1", Cause::HandshakeFailure}, Case{"lost connection", Cause::HangUp},
               Case{"Connection timed out", Cause::Timeout});
  const auto seen = read({"7 SSL_connect error to " + kMx1 + ": " + given.end,
                          "7 " + status(kMx1, deferred(kNoHandshake))});
  CHECK(seen[0].outcome == Outcome{Security::Unknown, given.cause});
  CHECK_FALSE(seen[0].is_unanswered);
  // Another server's reason is not this one's.
  const auto other = read({"7 SSL_connect error to " + kMx2 + ": lost connection",
                           "7 " + status(kMx1, deferred(kNoHandshake))});
  CHECK(other[0].outcome.cause == Cause::HandshakeFailure);
}

TEST_CASE("join: going on in clear after a failed handshake is seen at any log level") {
  const auto seen = read({"7 SSL_connect error to " + kMx1 + ": -1", "7 4ABC: " + kNoHandshake,
                          "7 " + status(kMx1, kSent)});
  CHECK(seen[0].outcome == Outcome{Security::Clear, Cause::Plaintext});
  CHECK_FALSE(seen[0].is_silent);
}

TEST_CASE("join: a second server that works makes good for the first") {
  const auto seen = read({"7 SSL_connect error to " + kMx1 + ": -1", "7 4ABC: " + kNoHandshake,
                          "7 " + session(kMx2), "7 " + status(kMx2, kSent)});
  CHECK(seen[0].outcome == Outcome{Security::Encrypted, std::nullopt});
  CHECK(seen[0].is_trusted);
}

TEST_CASE("join: a session that broke is not that of the mail sent in clear after it") {
  const auto seen =
      read({"7 " + session(kMx1),
            "7 4ABC: lost connection with mx1.a.test[192.0.2.1] while sending MAIL FROM",
            "7 " + status(kMx1, kSent)});
  CHECK(seen[0].outcome == Outcome{Security::Clear, Cause::Plaintext});
}

TEST_CASE("join: a certificate that did not pass is encryption without identity") {
  const auto seen =
      read({"7 certificate verification failed for " + kMx1 + ": self-signed certificate",
            "7 " + session(kMx1, "Untrusted"),
            "7 " + status(kMx1, deferred("Server certificate not verified"))});
  CHECK(seen[0].outcome == Outcome{Security::Encrypted, Cause::CertificateNotTrusted});
}

TEST_CASE("join: causes that the status line tells by itself") {
  struct Case {
    const char* text;
    Outcome outcome;
    bool is_unanswered;
  };
  const auto given = GENERATE(
      Case{"TLS is required, but was not offered by host mx1.a.test[192.0.2.1]",
           {Security::Unknown, Cause::StarttlsNotSupported},
           false},
      Case{"TLS is required, but host mx1.a.test[192.0.2.1] refused to start TLS: 454 no",
           {Security::Unknown, Cause::StarttlsRefused},
           false},
      Case{"lost connection with mx1.a.test[192.0.2.1] while receiving the STARTTLS response",
           {Security::Unknown, Cause::HangUp},
           true},
      Case{"client TLS configuration problem", {Security::Unknown, Cause::LocalFault}, false},
      Case{"host mx1.a.test[192.0.2.1] said: 454 Cannot start TLS: handshake failure", {}, false});
  const auto seen = read({"7 " + status(kMx1, deferred(given.text))});
  CHECK(seen[0].outcome == given.outcome);
  CHECK(seen[0].is_unanswered == given.is_unanswered);
}

TEST_CASE("join: tls= of 3.11 decides over what other lines say") {
  CHECK(read({"7 " + session(kMx1), "7 " + status(kMx1, "tls=may:none, " + kSent)})[0].outcome ==
        Outcome{Security::Clear, std::nullopt});
  CHECK(read({"7 " + status(kMx1, "tls=may, " + kSent)})[0].outcome ==
        Outcome{Security::Encrypted, std::nullopt});
  CHECK(read({"7 " + status(kMx1, "tls=secure, " + kSent)})[0].outcome ==
        Outcome{Security::Authenticated, std::nullopt});
  CHECK(
      read({"7 4ABC: " + kNoHandshake, "7 " + status(kMx1, "tls=may:none, " + kSent)})[0].outcome ==
      Outcome{Security::Clear, Cause::Plaintext});
  const auto later = read({"7 " + status(kMx1, "tls=quantum, " + kSent)});
  CHECK(later[0].outcome == Outcome{});
  CHECK_FALSE(later[0].is_silent);
}

TEST_CASE("join: suspended mail was tried with nobody") {
  CHECK(read({"7 " + status("none", deferred("delivery temporarily suspended: " + kNoHandshake)),
              "postfix/error[9]: " + status("none", deferred("delivery temporarily suspended: x")),
              "postfix/error[9]: " + status(kMx1, deferred(kNoHandshake))})
            .empty());
}

TEST_CASE("join: a line of TLSRPT tells the next-hop") {
  const auto seen =
      read({"7 TLSRPT: status=success, domain=hop.test, receiving_mx=mx1.a.test[192.0.2.1]",
            "7 " + session(kMx1), "7 " + status(kMx1, kSent)});
  CHECK(seen[0].destination == "hop.test");
}

TEST_CASE("join: lines of two messages in one are muddled, and then unknown") {
  const auto seen = read({"7 SSL_connect error to " + kMx1 + ": -1", "7 4FFF: " + kNoHandshake,
                          "7 " + status(kMx1, kSent)});
  CHECK(seen[0].outcome == Outcome{});
  CHECK_FALSE(seen[0].is_silent);
}

TEST_CASE("join: memory is bounded; the process heard last is kept") {
  std::vector<std::string> lines{"1 " + session(kMx1)};
  for (int pid = 2; pid < 12; ++pid) {
    lines.push_back(std::to_string(pid) + " " + session(kMx1));
    lines.emplace_back("1 Host offered STARTTLS: [mx1.a.test]");
  }
  lines.push_back("1 " + status(kMx1, kSent));
  lines.push_back("2 " + status(kMx1, kSent));
  const auto seen = read(lines, 3);
  CHECK(seen[0].outcome.security == Security::Encrypted);
  CHECK(seen[1].is_silent);
}
