// What becomes of what is known where the row is none, asks for little, or is not what it was.
#include "src/engine/advance.h"
#include "src/engine/repeats.h"
#include "tests/unit/advance_story.h"
#include "tests/unit/catch.h"

using namespace engine;
using model::Cause;
using model::Evidence;
using model::Fallback;
using model::Level;
using model::Moment;
using model::Phase;
using test::failed;
using test::rules_with;
using test::Story;
using test::worked;

TEST_CASE("advance: without a row offers and absences are learnt, and nothing is a failure") {
  const Moment now{1'800'000'000, 1'000};
  const auto seen = [&](const model::DestinationState& state, const Evidence& evidence) {
    return advance(nullptr, state, Seen{evidence}, now, false);
  };
  const auto absent = seen({}, failed(Cause::StarttlsNotSupported));
  CHECK(absent.state.absent_at == now.wall);
  CHECK(absent.state.failures.empty());
  const auto broken = seen({}, failed(Cause::HandshakeFailure));
  CHECK(broken.state.offered_at == now.wall);
  CHECK(broken.state.failures.empty());
  CHECK(broken.decisions.empty());
  CHECK_FALSE(broken.due_in);
  auto wrong_name = worked();
  wrong_name.outcome.cause = Cause::CertificateHostMismatch;
  CHECK(seen({}, wrong_name).state.worked_at == now.wall);
  const auto reset = advance(nullptr, broken.state, Reset{}, now, false);
  REQUIRE(reset.decisions.size() == 1);
  CHECK_FALSE(reset.decisions[0].to);
  CHECK(reset.decisions[0].rule.empty());
  CHECK(reset.state.offered_at == 0);
}

TEST_CASE("advance: a row of level none asks for no name") {
  Story story(rules_with(Fallback::Never, Level::None));
  auto wrong_name = worked();
  wrong_name.outcome.cause = Cause::CertificateHostMismatch;
  story.see(wrong_name);
  CHECK(story.state.worked_at == story.now.wall);
  CHECK(story.state.failures.empty());
}

TEST_CASE("advance: of many failures the latest are kept, no more than any row needs") {
  Story story(rules_with(Fallback::Never, Level::Encrypt));
  for (int i = 0; i < 105; ++i) {
    story.see(failed(Cause::HandshakeFailure));
    story.wait(300);
  }
  CHECK(story.state.failures.size() == 101);
  CHECK(story.state.failures.back().at.wall == story.now.wall - 300);
}

TEST_CASE("advance: the trial after a reroute is no probation after a downgrade") {
  Story story(rules_with(Fallback::AfterRetry, Level::Encrypt));
  story.state.phase = Phase::Trial;
  story.see(failed(Cause::HandshakeFailure));
  story.wait(1'000);
  story.tick();
  CHECK(story.state.failures.size() == 1);
  CHECK(story.decisions.empty());
}

TEST_CASE("advance: a row that may not fall back any more ends a probation without a word") {
  Story story(rules_with(Fallback::AfterRetry, Level::Encrypt));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  story.wait(3'600);
  story.tick();
  REQUIRE(story.state.phase == Phase::Probation);
  const auto decisions = story.decisions.size();
  story.rules.fallback = Fallback::Never;
  story.take(RulesChanged{});
  CHECK(story.state.phase == Phase::Normal);
  CHECK(story.state.length == 0);
  CHECK(story.decisions.size() == decisions);
}

TEST_CASE("advance: only a row with fallback reroute sends mail another way") {
  Story story(rules_with(Fallback::Reroute, Level::Encrypt));
  story.state.phase = Phase::Rerouted;
  story.state.until = story.now.wall + 1;
  CHECK(is_rerouted(story.rules, story.state, story.now));
  story.rules.may_downgrade = false;
  CHECK_FALSE(is_rerouted(story.rules, story.state, story.now));
  CHECK_FALSE(
      is_rerouted(rules_with(Fallback::AfterRetry, Level::Encrypt), story.state, story.now));
  story.rules.may_downgrade = true;
  story.wait(1);
  CHECK_FALSE(is_rerouted(story.rules, story.state, story.now));
}

TEST_CASE("advance: remember_for ends what was learnt, and 0 is for ever") {
  Rules rules;
  model::DestinationState state;
  const Moment later{1'800'000'001, 1'001};
  CHECK_FALSE(is_offer_remembered(rules, state, later));
  CHECK_FALSE(is_absence_remembered(rules, state, later));
  state.absent_at = state.offered_at = 1'800'000'000;
  state.offered_lived = 1'000;
  for (const auto& [remember_for, is_remembered] : {std::pair(0, true), {1, false}, {2, true}}) {
    rules.remember_for = remember_for;
    CHECK(is_offer_remembered(rules, state, later) == is_remembered);
    CHECK(is_absence_remembered(rules, state, later) == is_remembered);
  }
}

TEST_CASE("advance: STARTTLS that is back is told once, and an absence in the same second counts") {
  Story story(rules_with(Fallback::UnlessOffered, Level::May));
  story.see(worked());
  story.see(failed(Cause::StarttlsNotSupported));
  CHECK(story.last() == "starttls-vanished");
  story.wait(1);
  story.see(worked());
  CHECK(story.last() == "re-offered");
  const auto decisions = story.decisions.size();
  story.wait(1);
  story.see(worked());
  CHECK(story.decisions.size() == decisions);
}

TEST_CASE("advance: an absence in place of an offer that is forgotten takes its place") {
  auto rules = rules_with(Fallback::UnlessOffered, Level::May);
  rules.remember_for = 100;
  Story story(rules);
  story.see(worked());
  story.wait(100);
  story.see(failed(Cause::StarttlsNotSupported));
  CHECK(story.state.absent_at == story.now.wall);
  CHECK(story.state.offered_at == 0);
  CHECK(story.state.offered_lived == 0);
}

TEST_CASE("advance: a downgrade is due to end in its last second") {
  Story story(rules_with(Fallback::AfterRetry, Level::May));
  story.see(failed(Cause::HandshakeFailure));
  story.wait(300);
  story.tick();
  story.wait(3'599);
  story.tick();
  CHECK(story.due_in == 1);
}

TEST_CASE("advance: a line of a log is believed for less than an hour, and never ahead of time") {
  const Moment now{1'800'000'000, 1'000};
  auto seen = failed(Cause::HangUp, model::Source::Maillog);
  for (const auto& [age, is_believed] :
       {std::pair(-1, false), {0, false}, {1, true}, {3'599, true}, {3'600, false}}) {
    seen.at = now.wall - age;
    CHECK(happened_at(seen, now) == (is_believed ? seen.at : now.wall));
  }
}
