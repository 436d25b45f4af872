// What a log teaches of each destination, and what it does not.
#include "src/jobs/lessons.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::Cause;

namespace {

const std::string kHead = "Nov 22 03:12:47 h ";

class Log {
 public:
  explicit Log(std::size_t most = jobs::Lessons::kMostDestinations) : lessons_(most) {}

  Log& line(const std::string& text) {
    const std::string whole = kHead + text;
    const auto parsed = wire::parse_log_line(whole);
    REQUIRE(parsed);
    lessons_.take(*parsed);
    return *this;
  }
  Log& sent(const std::string& domain, const std::string& tls = "",
            const std::string& service = "postfix/smtp", const std::string& port = "25") {
    return status(domain, tls + "dsn=2.0.0, status=sent (250 ok)", service, port);
  }
  Log& failed(const std::string& domain, const std::string& text) {
    return status(domain, "dsn=4.7.5, status=deferred (" + text + ")", "postfix/smtp", "25");
  }
  // A delivery with the session's line before it.
  Log& in_tls(const std::string& domain, const std::string& trust = "Trusted",
              const std::string& tls = "", const std::string& service = "postfix/smtp") {
    line(service + "[7]: " + trust + " TLS connection established to mx." + domain +
         "[192.0.2.1]:25: TLSv1.3 with cipher A (1/1 bits)");
    return sent(domain, tls, service);
  }

  jobs::Lessons& finish() {
    lessons_.finish();
    return lessons_;
  }
  jobs::Lesson of(const std::string& destination) {
    lessons_.finish();
    for (const auto* lesson : lessons_.ranked()) {
      if (lesson->destination == destination) {
        CHECK(lesson->deliveries == lesson->tls + lesson->clear + lesson->unknown);
        CHECK(lesson->tls >= lesson->trusted + lesson->verified);
        return *lesson;
      }
    }
    FAIL("no lesson of " << destination);
    return {};
  }

 private:
  Log& status(const std::string& domain, const std::string& end, const std::string& service,
              const std::string& port) {
    const auto id = std::to_string(10'000 + ++messages_);
    return line(service + "[7]: " + id + ": to=<u@" + domain + ">, relay=mx." + domain +
                "[192.0.2.1]:" + port + ", delay=1, delays=0.1/0/0/0, " + end);
  }
  jobs::Lessons lessons_;
  int messages_ = 0;
};

std::string strictest(const jobs::Lesson& lesson) {
  const auto passed = jobs::find_passed_profiles(lesson);
  return passed.empty() ? "" : std::string(passed.back());
}

bool passes(const jobs::Lesson& lesson, std::string_view profile) {
  const auto passed = jobs::find_passed_profiles(lesson);
  return std::find(passed.begin(), passed.end(), profile) != passed.end();
}

std::uint64_t failures(const jobs::Lesson& lesson, Cause cause) {
  return lesson.failures.at(static_cast<std::size_t>(cause));
}

}  // namespace

TEST_CASE("lessons: silence is in clear only where the service logs TLS") {
  Log log;
  log.sent("early.test").in_tls("tls.test").sent("late.test");
  log.sent("other.test", "", "postfix/relay/smtp");
  CHECK(log.of("early.test").clear == 1);
  CHECK(log.of("late.test").clear == 1);
  CHECK(log.of("other.test").unknown == 1);
  CHECK(log.finish().unlogged() == 1);
}

TEST_CASE("lessons: after a reload the log has to show TLS again") {
  Log log;
  log.sent("before.test").line("postfix/master[1]: reload -- version 3.7.11, configuration /e");
  log.in_tls("tls.test").sent("shown.test");
  log.line("postfix/master[1]: daemon started -- version 3.7.11, configuration /e");
  log.sent("after.test");
  CHECK(log.of("before.test").unknown == 1);
  CHECK(log.of("shown.test").clear == 1);
  CHECK(log.of("after.test").unknown == 1);
}

TEST_CASE("lessons: tls= needs no session lines") {
  Log log;
  log.sent("tls.test", "tls=may, ").sent("clear.test", "tls=may:none, ");
  CHECK(log.of("tls.test").tls == 1);
  CHECK(log.of("clear.test").clear == 1);
}

TEST_CASE("lessons: each trust is counted by itself") {
  Log log;
  log.in_tls("a.test", "Untrusted").in_tls("a.test").in_tls("a.test").in_tls("a.test", "Verified");
  const auto lesson = log.of("a.test");
  CHECK(lesson.deliveries == 4);
  CHECK(lesson.tls == 4);
  CHECK(lesson.trusted == 2);
  CHECK(lesson.verified == 1);
}

TEST_CASE("lessons: a profile passes only where every delivery would have") {
  Log log;
  log.in_tls("tls.test").in_tls("tls.test", "Untrusted");
  log.in_tls("verified.test", "Verified").in_tls("verified.test", "Verified");
  log.in_tls("partly.test", "Verified").in_tls("partly.test");
  log.in_tls("mixed.test").sent("mixed.test");
  log.sent("clear.test");
  log.in_tls("broken.test").failed("broken.test", "Cannot start TLS: handshake failure");
  log.failed(
      "silent.test",
      "lost connection with mx.silent.test[192.0.2.1] while receiving the STARTTLS response");
  log.in_tls("doubted.test").failed("doubted.test", "Server certificate not verified");
  log.in_tls("ours.test").failed("ours.test", "client TLS configuration problem");
  log.failed("local.test", "client TLS configuration problem");
  CHECK(strictest(log.of("tls.test")) == "required");
  CHECK(strictest(log.of("verified.test")) == "verified");
  CHECK(strictest(log.of("partly.test")) == "required");
  CHECK(strictest(log.of("mixed.test")) == "opportunistic");
  CHECK(strictest(log.of("clear.test")) == "opportunistic");
  CHECK_FALSE(passes(log.of("mixed.test"), "preferred"));
  log.failed("absent.test",
             "TLS is required, but was not offered by host mx.absent.test[192.0.2.1]");
  log.in_tls("strip.test")
      .failed("strip.test",
              "TLS is required, but was not offered by host mx.strip.test[192.0.2.1]");
  CHECK(strictest(log.of("absent.test")) == "preferred");
  CHECK(strictest(log.of("strip.test")) == "opportunistic");
  CHECK(strictest(log.of("broken.test")) == "opportunistic");
  CHECK(strictest(log.of("silent.test")) == "off");
  CHECK(strictest(log.of("doubted.test")) == "required");
  CHECK(strictest(log.of("ours.test")) == "required");
  CHECK(strictest(log.of("local.test")).empty());
  CHECK(failures(log.of("broken.test"), Cause::HandshakeFailure) == 1);
  CHECK(failures(log.of("doubted.test"), Cause::ValidationFailure) == 1);
}

TEST_CASE("lessons: what is unknown passes nothing that asks for TLS") {
  Log log;
  log.sent("unknown.test");
  const auto lesson = log.of("unknown.test");
  CHECK(lesson.unknown == 1);
  CHECK(strictest(lesson) == "opportunistic");
  CHECK(jobs::suggest_profile(lesson).profile.empty());
}

TEST_CASE("lessons: only what is proved, and no less than is asked already, is suggested") {
  Log log;
  log.in_tls("tls.test").in_tls("untrusted.test", "Untrusted");
  log.in_tls("verify.test", "Verified", "tls=verify, ");
  log.in_tls("secure.test", "Verified", "tls=secure, ");
  log.in_tls("dane.test", "Verified", "tls=dane, ");
  log.in_tls("verified.test", "Verified");
  log.in_tls("partly.test", "Verified").in_tls("partly.test");
  log.in_tls("doubted.test").failed("doubted.test", "Server certificate not verified");
  log.in_tls("mixed.test").sent("mixed.test");
  log.sent("ported.test", "tls=may, ", "postfix/smtp", "587");
  const auto suggested = [&](const std::string& name) {
    const auto suggestion = jobs::suggest_profile(log.of(name));
    CHECK(suggestion.profile.empty() != suggestion.why_not.empty());
    return std::string(suggestion.profile);
  };
  CHECK(suggested("tls.test") == "required");
  CHECK(suggested("untrusted.test") == "required");
  CHECK(suggested("verify.test") == "verified");
  for (const auto* name : {"secure.test", "dane.test", "verified.test", "partly.test",
                           "doubted.test", "mixed.test", "ported.test"}) {
    INFO(name);
    CHECK(suggested(name).empty());
  }
  CHECK_FALSE(passes(log.of("dane.test"), "verified"));
}

TEST_CASE("lessons: mail to this host itself, and to what is no domain, teaches nothing") {
  Log log;
  const std::string status = ", delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)";
  log.line("postfix/smtp[7]: 4AAA: to=<u@a.test>, relay=127.0.0.1[127.0.0.1]:10024" + status);
  log.line("postfix/lmtp[7]: 4AAB: to=<u@a.test>, relay=h[private/dovecot-lmtp]" + status);
  log.line("postfix/smtp[7]: 4AAC: to=<u@a..b>, relay=mx.a.test[192.0.2.1]:25" + status);
  log.line("postfix/smtp[7]: 4AAD: to=<root>, relay=mx.a.test[192.0.2.1]:25" + status);
  log.line("postfix/smtp[7]: 4AAE: to=<u@A.Test.>, relay=mx.a.test[192.0.2.1]:25" + status);
  CHECK(log.finish().local() == 2);
  CHECK(log.finish().unusable() == 2);
  REQUIRE(log.finish().ranked().size() == 1);
  CHECK(log.of("a.test").deliveries == 1);
}

TEST_CASE("lessons: probes and other failures are no deliveries") {
  Log log;
  log.failed("grey.test", "host mx.grey.test[192.0.2.1] said: 451 later");
  log.line(
      "postfix/smtp[7]: 4AAC: to=<u@probe.test>, relay=mx.a.test[192.0.2.1]:25, delay=1, "
      "delays=0/0/0/0, dsn=2.1.5, status=deliverable (250 ok)");
  CHECK(log.finish().ranked().empty());
}

TEST_CASE("lessons: destinations are bounded, and those left out are counted") {
  Log log(2);
  log.in_tls("a.test").in_tls("b.test").in_tls("c.test").in_tls("c.test").in_tls("a.test");
  CHECK(log.finish().left_out() == 2);
  REQUIRE(log.finish().ranked().size() == 2);
  CHECK(log.finish().ranked()[0]->destination == "a.test");
  CHECK(log.of("a.test").deliveries == 2);
}
