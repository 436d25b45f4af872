#include "src/jobs/log_evidence.h"

#include <string>

#include "src/jobs/question_book.h"
#include "tests/unit/catch.h"

namespace {

using jobs::QuestionBook;
using model::Cause;
using model::Security;

constexpr base::sys_seconds kAt{std::chrono::seconds{1'800'000'000}};

class Log {
 public:
  std::optional<wire::ReportedEvidence> say(const std::string& message, int pid = 4242,
                                            const std::string& host = "mail",
                                            const std::string& tag = "postfix/smtp") {
    const auto text =
        "Nov 22 03:12:47 " + host + " " + tag + "[" + std::to_string(pid) + "]: " + message;
    return evidence_.take(wire::parse_log_line(text).value(), kAt);
  }
  std::optional<wire::ReportedEvidence> status(const std::string& tail, int pid = 4242) {
    return say(
        "4ABC: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, delay=0.4, "
        "delays=0.1/0.01/0.29/0, " +
            tail,
        pid);
  }
  void session(int pid = 4242) {
    say("Trusted TLS connection established to mx1.peer.test[192.0.2.10]:25: TLSv1.3 with cipher "
        "TLS_AES_256_GCM_SHA384 (256/256 bits)",
        pid);
  }

 private:
  jobs::LogEvidence evidence_;
};

constexpr const char* kSent = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";

}  // namespace

TEST_CASE("log evidence: a session and a delivery are one encrypted delivery to the recipient") {
  Log log;
  log.session();
  const auto seen = log.status(kSent);
  REQUIRE(seen);
  CHECK(seen->evidence.outcome == model::Outcome{Security::Encrypted, std::nullopt});
  CHECK(seen->evidence.source == model::Source::Maillog);
  CHECK(seen->evidence.was_offered);
  CHECK_FALSE(seen->evidence.is_trusted);
  CHECK(seen->destination == "peer.test");
  CHECK_FALSE(seen->is_next_hop);
  CHECK(seen->pid == 4242);
  CHECK(seen->evidence.mx == "mx1.peer.test[192.0.2.10]");
  CHECK(seen->evidence.text == "mail log, queue id 4ABC");
}

TEST_CASE("log evidence: silence is in clear only where the log would show TLS") {
  Log log;
  CHECK(log.status(kSent)->evidence.outcome.security == Security::Unknown);
  log.session(7);
  CHECK(log.status(kSent)->evidence.outcome.security == Security::Clear);
  CHECK_FALSE(log.status(kSent)->evidence.outcome.cause);
  log.say("daemon started -- version 3.7.11, configuration /etc/postfix", 1, "mail",
          "postfix/master");
  CHECK(log.status(kSent)->evidence.outcome.security == Security::Unknown);
}

TEST_CASE("log evidence: Postfix's own way back to clear is seen") {
  Log log;
  log.say("SSL_connect error to mx1.peer.test[192.0.2.10]:25: -1");
  log.say("4ABC: Cannot start TLS: handshake failure");
  const auto seen = log.status(kSent);
  CHECK(seen->evidence.outcome == model::Outcome{Security::Clear, Cause::Plaintext});
}

TEST_CASE("log evidence: failures have their cause; trouble before TLS is none") {
  Log log;
  const auto failed =
      log.status("dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)");
  CHECK(failed->evidence.outcome.cause == Cause::HandshakeFailure);
  CHECK_FALSE(
      log.status("dsn=4.4.1, status=deferred (connect to mx1.peer.test[192.0.2.10]:25: "
                 "Connection refused)"));
  CHECK_FALSE(
      log.status("dsn=4.7.5, status=deferred (delivery temporarily suspended: Cannot start "
                 "TLS: handshake failure)"));
}

TEST_CASE("log evidence: 3.11 says in the status line itself how the mail went") {
  Log log;
  CHECK(log.status("tls=may:none, dsn=2.0.0, status=sent (250 Ok)")->evidence.outcome.security ==
        Security::Clear);
  CHECK(log.status("tls=encrypt, dsn=2.0.0, status=sent (250 Ok)")->evidence.outcome.security ==
        Security::Encrypted);
}

TEST_CASE("log evidence: a delivery on this host has no destination but what its process asked") {
  Log log;
  const auto seen = log.say(
      "4ABC: to=<u@peer.test>, relay=127.0.0.1[127.0.0.1]:10024, delay=0.4, "
      "delays=0.1/0.01/0.29/0, dsn=2.0.0, status=sent (250 Ok)");
  CHECK(seen->is_pid_needed);
}

TEST_CASE("log evidence: a connection used again may be one that its process did not ask about") {
  Log log;
  const std::string head = "4ABC: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, ";
  const std::string tail = "delay=0.4, delays=0.1/0.01/0.29/0, dsn=2.0.0, status=sent (250 Ok)";
  CHECK_FALSE(log.say(head + tail)->is_reused);
  CHECK(log.say(head + "conn_use=2, " + tail)->is_reused);
}

TEST_CASE("log evidence: process ids of a log of several hosts mean nothing") {
  Log log;
  const std::string line =
      "4ABC: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, delay=0.4, "
      "delays=0.1/0.01/0.29/0, dsn=2.0.0, status=sent (250 Ok)";
  CHECK(log.say(line, 5, "one")->pid == 5);
  CHECK(log.say(line, 5, "two")->pid == 0);
  CHECK(log.say(line, 5, "one")->pid == 0);
}

TEST_CASE("question book: a line belongs to the last question before it") {
  QuestionBook book;
  book.asked(7, "", "a.test", 100);
  book.asked(7, "tenant1", "b.test", 110);
  book.asked(8, "", "c.test", 105);
  CHECK_FALSE(book.find(7, 99, "").is_known);
  CHECK(book.find(7, 105, "").question->key == "a.test");
  CHECK(book.find(7, 111, "").question->key == "b.test");
  CHECK(book.find(7, 111, "").question->view == "tenant1");
  CHECK(book.find(8, 500, "").question->key == "c.test");
  CHECK_FALSE(book.find(9, 500, "").is_known);
  CHECK_FALSE(book.find(0, 500, "").is_known);
}

TEST_CASE("question book: within one second only the recipient's own domain can tell") {
  QuestionBook book;
  book.asked(7, "", "a.test", 100);
  book.asked(7, "", "b.test", 110);
  CHECK(book.find(7, 110, "a.test").question->key == "a.test");
  CHECK(book.find(7, 110, "b.test").question->key == "b.test");
  CHECK(book.find(7, 110, "c.test").is_known);
  CHECK_FALSE(book.find(7, 110, "c.test").question);
  book.asked(8, "", "a.test", 100);
  book.asked(8, "", "a.test", 110);
  CHECK(book.find(8, 110, "c.test").question->key == "a.test");
}

TEST_CASE("question book: a busy second that does not fit tells nothing, and old processes go") {
  QuestionBook book;
  for (int i = 0; i < 20; ++i) book.asked(7, "", "d" + std::to_string(i) + ".test", 100);
  CHECK(book.find(7, 100, "").is_known);
  CHECK_FALSE(book.find(7, 100, "").question);
  CHECK(book.find(7, 100, "d19.test").question);
  CHECK(book.find(7, 101, "").question->key == "d19.test");
  for (std::size_t i = 0; i < QuestionBook::kMostProcesses; ++i) {
    book.asked(static_cast<std::int64_t>(1000 + i), "", "x.test", 100);
  }
  CHECK_FALSE(book.find(7, 100, "d19.test").is_known);
  CHECK(book.find(1000, 100, "x.test").question);
}
