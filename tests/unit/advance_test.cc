#include "src/engine/advance.h"

#include <optional>
#include <random>

#include "src/engine/bounces.h"
#include "src/engine/level_for.h"
#include "tests/unit/advance_story.h"
#include "tests/unit/catch.h"

using namespace engine;
using model::Cause;
using model::Evidence;
using model::Fallback;
using model::Level;
using model::Moment;
using model::Phase;
using model::Security;
using model::Source;
using test::failed;
using test::rules_with;
using test::Story;
using test::worked;

TEST_CASE("advance: after-retry falls to may before the second try, and no second sooner") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  CHECK(story.level() == Level::May);
  story.see(failed(Cause::HandshakeFailure));
  CHECK(story.level() == Level::Encrypt);
  CHECK(story.due_in == 300);
  story.wait(299);
  story.tick();
  CHECK(story.level() == Level::Encrypt);
  CHECK(story.decisions.empty());
  story.wait(1);
  story.tick();
  CHECK(story.level() == Level::May);
  REQUIRE(story.decisions.size() == 1);
  CHECK(story.last() == "downgrade");
  CHECK(story.decisions[0].from == Level::Encrypt);
  CHECK(story.decisions[0].to == Level::May);
  CHECK(story.decisions[0].until == story.now.wall + 3600);
  CHECK(story.decisions[0].evidence.size() == 1);
}

TEST_CASE("advance: after-retry to none needs every attempt, each retry_after after the last") {
  auto rules = rules_with(Fallback::AfterRetry, Level::May);
  rules.downgrade_to = Level::None;
  Story story(rules);
  story.see(failed(Cause::HandshakeFailure));
  story.wait(299);
  story.see(failed(Cause::HandshakeFailure));
  CHECK(story.decisions.empty());
  story.wait(1);
  story.see(failed(Cause::HandshakeFailure));
  CHECK(story.last() == "downgrade");
  CHECK(story.level() == Level::None);
}

TEST_CASE("advance: ten messages that fail in one moment are one failure") {
  auto rules = rules_with(Fallback::AfterRetry, Level::May);
  rules.downgrade_to = Level::None;
  Story story(rules);
  for (int i = 0; i < 10; ++i) story.see(failed(Cause::HandshakeFailure));
  CHECK(story.state.failures.size() == 1);
  CHECK(story.decisions.empty());
}

TEST_CASE("advance: a downgrade ends when it said, on probation, and one failure brings it back") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  story.wait(3599);
  story.tick();
  CHECK(story.level() == Level::May);
  story.wait(1);
  CHECK(story.level() == Level::Encrypt);  // before any tick
  story.tick();
  CHECK(story.last() == "restore");
  CHECK(story.state.phase == Phase::Probation);
  SECTION("for as long as before, where nothing but mail says so") {
    story.see(failed(Cause::HandshakeFailure));
    CHECK(story.last() == "downgrade");
    CHECK(story.state.until - story.now.wall == 3600);
  }
  SECTION("for twice as long where a probe confirms, up to downgrade_max") {
    for (const auto expected : {7200, 14400, 28800, 57600, 86400, 86400}) {
      story.see(failed(Cause::HandshakeFailure, Source::Probe));
      CHECK(story.level() == Level::Encrypt);  // mail must fail first
      story.see(failed(Cause::HandshakeFailure));
      CHECK(story.state.until - story.now.wall == expected);
      story.wait(expected);
      story.tick();
    }
  }
  SECTION("and TLS that works ends the probation") {
    story.see(worked());
    CHECK(story.state.phase == Phase::Normal);
    story.see(failed(Cause::HandshakeFailure));
    CHECK(story.level() == Level::Encrypt);
  }
}

TEST_CASE("advance: TLS that works ends a downgrade at once") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  story.see(worked(Source::Probe));
  CHECK(story.level() == Level::Encrypt);
  CHECK(story.decisions.back().why == "probe");
}

TEST_CASE("advance: TLS that works in the second of a downgrade that is due prevents it") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.see(worked());
  CHECK(story.decisions.empty());
  CHECK(story.alarms.empty());
  CHECK(story.level() == Level::Encrypt);
}

TEST_CASE("advance: a probe confirms what mail saw, and starts nothing") {
  auto rules = rules_with(Fallback::AfterRetry, Level::May);
  rules.downgrade_to = Level::None;
  Story story(rules);
  story.see(failed(Cause::HandshakeFailure, Source::Probe));
  CHECK(story.state.failures.empty());
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.see(failed(Cause::HandshakeFailure, Source::Probe));
  CHECK(story.level() == Level::None);
}

TEST_CASE("advance: an absence counts where mail saw it, and nowhere else") {
  for (const auto source : {Source::Probe, Source::Tlsrpt}) {
    INFO(to_word(source));
    Story story(rules_with(Fallback::UnlessOffered, Level::May));
    story.see(failed(Cause::StarttlsNotSupported, source));
    CHECK(story.state == model::DestinationState{});
    CHECK(story.level() == Level::Encrypt);
    story.see(worked());
    story.see(failed(Cause::StarttlsNotSupported, source));
    CHECK_FALSE(story.state.has_vanished);
    CHECK(story.alarms.empty());
  }
  for (const auto source : {Source::Outcome, Source::Maillog}) {
    INFO(to_word(source));
    Story story(rules_with(Fallback::UnlessOffered, Level::May));
    story.see(failed(Cause::StarttlsNotSupported, source));
    CHECK(story.level() == Level::May);
  }
}

TEST_CASE("advance: a time-out needs one attempt more") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::Timeout));
  story.wait(300);
  story.tick();
  CHECK(story.decisions.empty());
  story.see(failed(Cause::Timeout));
  story.wait(300);
  story.tick();
  CHECK(story.last() == "downgrade");
}

TEST_CASE("advance: from a peer that never offered STARTTLS nothing vanished") {
  Story story(rules_with(Fallback::AfterRetry, Level::Encrypt));
  story.see(failed(Cause::StarttlsNotSupported));
  story.wait(300);
  story.tick();
  CHECK(story.last() == "downgrade");
}

TEST_CASE("advance: STARTTLS that vanished is held against the peer, not believed") {
  Story story(rules_with(Fallback::UnlessOffered, Level::May));
  CHECK(story.level() == Level::Encrypt);  // first contact asks
  SECTION("a peer that never offered is written to in clear") {
    story.see(failed(Cause::StarttlsNotSupported));
    CHECK(story.level() == Level::May);
    CHECK(story.decisions.empty());
  }
  SECTION("one that did is not, for as long as that is remembered") {
    story.see(worked());
    story.wait(86'400);
    story.see(failed(Cause::StarttlsNotSupported));
    CHECK(story.level() == Level::Encrypt);
    CHECK(story.last() == "starttls-vanished");
    for (int i = 0; i < 20; ++i) {
      story.wait(100'000);
      story.see(failed(Cause::StarttlsNotSupported));
      CHECK(story.level() == Level::Encrypt);
    }
    CHECK(story.decisions.size() == 1);
    story.see(worked());
    CHECK(story.last() == "re-offered");
  }
  SECTION("remember_for over, what is seen then counts") {
    story.see(worked());
    story.wait(2'591'999);
    story.see(failed(Cause::StarttlsNotSupported));
    CHECK(story.level() == Level::Encrypt);
    story.wait(86'400);  // the failure of a moment ago still counts for a day
    story.see(failed(Cause::StarttlsNotSupported));
    CHECK(story.level() == Level::May);
  }
}

TEST_CASE("advance: a clock set forward forgets no offer and brings no downgrade forward") {
  Story story(rules_with(Fallback::UnlessOffered, Level::May));
  story.see(worked());
  story.now.wall += 315'360'000;
  story.tick();
  CHECK(story.level() == Level::Encrypt);

  Story retry(rules_with(Fallback::AfterRetry, Level::May));
  retry.see(failed(Cause::HandshakeFailure));
  retry.now.wall += 3600;
  retry.tick();
  CHECK(retry.decisions.empty());
  CHECK(retry.level() == Level::Encrypt);
}

TEST_CASE("advance: frozen, nothing is lowered; thawed, it is decided then") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.frozen = true;
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  CHECK(story.decisions.empty());
  CHECK(story.level() == Level::Encrypt);
  story.frozen = false;
  story.tick();
  CHECK(story.last() == "downgrade");
}

TEST_CASE("advance: an admin's edit ends a running downgrade") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  story.rules = rules_with(Fallback::Never, Level::Encrypt);
  CHECK(story.level() == Level::Encrypt);  // before any event
  story.take(RulesChanged{});
  CHECK(story.last() == "restore");
  CHECK(story.decisions.back().why == "admin");
  CHECK(story.state.phase == Phase::Normal);
}

TEST_CASE("advance: a bracketed next-hop is not lowered by somebody else's row") {
  auto rules = rules_with(Fallback::AfterRetry, Level::May);
  rules.may_downgrade = false;
  Story story(rules);
  for (int i = 0; i < 10; ++i) {
    story.see(failed(Cause::HandshakeFailure));
    story.wait(301);
    story.tick();
  }
  CHECK(story.decisions.empty());
  CHECK(story.level() == Level::Encrypt);
}

TEST_CASE("advance: reroute begins after its attempts, ends by time, and tries once") {
  auto rules = rules_with(Fallback::Reroute, Level::Encrypt);
  rules.reroute_to = "escrow:";
  Story story(rules);
  story.see(failed(Cause::StarttlsNotSupported));
  CHECK_FALSE(is_rerouted(rules, story.state, story.now));
  story.wait(300);
  story.see(failed(Cause::StarttlsNotSupported));
  CHECK(is_rerouted(rules, story.state, story.now));
  CHECK(story.level() == Level::Encrypt);
  story.wait(3600);
  CHECK_FALSE(is_rerouted(rules, story.state, story.now));
  story.tick();
  CHECK(story.last() == "restore");
  story.see(failed(Cause::StarttlsNotSupported));
  CHECK(story.last() == "reroute");
}

TEST_CASE("advance: bounce tells the sender after its attempts, but not of what mends itself") {
  const auto rules = rules_with(Fallback::Bounce, Level::Verify);
  Story story(rules);
  for (const auto cause : {Cause::HandshakeFailure, Cause::StarttlsNotSupported,
                           Cause::CertificateExpired, Cause::ValidationFailure}) {
    story.see(failed(cause));
    CHECK(bounces(rules, story.state, failed(cause), story.now, false));
    CHECK_FALSE(bounces(rules, story.state, failed(cause), story.now, true));
  }
  for (const auto cause :
       {Cause::StarttlsRefused, Cause::HangUp, Cause::Timeout, Cause::LocalFault}) {
    CHECK_FALSE(bounces(rules, story.state, failed(cause), story.now, false));
  }
  CHECK_FALSE(bounces(rules, story.state, failed(Cause::HandshakeFailure, Source::Outcome, false),
                      story.now, false));
  CHECK(story.level() == Level::Verify);
}

TEST_CASE("advance: a required row that fails raises one alarm, and ends it when TLS works") {
  Story story(rules_with(Fallback::Never, Level::Encrypt));
  for (int i = 0; i < 5; ++i) {
    story.see(failed(Cause::HandshakeFailure));
    story.wait(400);
  }
  CHECK(story.alarms == std::vector<Alarm>{{AlarmKind::TlsFailing, false}});
  story.see(worked());
  CHECK(story.alarms.back() == Alarm{AlarmKind::TlsFailing, true});
  CHECK(story.decisions.empty());
}

TEST_CASE("advance: encrypted with a bad certificate is no success where the name is asked for") {
  Story story(rules_with(Fallback::Never, Level::Verify));
  auto bad = failed(Cause::CertificateHostMismatch);
  bad.outcome.security = Security::Encrypted;
  story.see(bad);
  CHECK(story.state.worked_at == 0);
  CHECK(story.state.offered_at != 0);
  CHECK(story.alarms.size() == 1);
}
