// A state base while it is read: what it doesn't say yet is not "nothing is known".
#include "src/jobs/feedback.h"
#include "tests/unit/catch.h"
#include "tests/unit/heard_proposals.h"
#include "tests/unit/offered_state.h"

namespace {

using jobs::Feedback;
using model::Level;
using test::kNow;
using test::offered;
using test::StillClock;

// Every row is the shipped profile `opportunistic`.
struct Opportunistic final : jobs::RuleBook {
  Opportunistic() {
    rules.level = Level::May;
    rules.fallback = model::Fallback::AfterRetry;
    rules.may_downgrade = true;
  }
  std::optional<engine::Rules> rules_for(std::string_view /*view*/,
                                         const model::Key& /*key*/) override {
    return rules;
  }
  engine::Rules rules;
};

struct Desk {
  // Whether it is to be read, as it must be.
  void begin(Feedback::Base kind) { REQUIRE(feedback.begin_base(kind, {kNow, 1})); }
  void load_kept() {
    begin(Feedback::Base::Kept);
    feedback.take_base_record(offered("peer.example"));
    feedback.end_base();
  }
  Level level_of(std::string_view destination) {
    return feedback.level_for(rules.rules, {}, destination).level;
  }

  StillClock clock;
  Opportunistic rules;
  test::HeardProposals heard;
  Feedback feedback{clock, rules, heard};
};

}  // namespace

TEST_CASE("the kept base serves on while that of store is read") {
  Desk desk;
  desk.load_kept();
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::May);
  desk.begin(Feedback::Base::Committed);
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  desk.feedback.take_base_record(offered("new.example"));
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  desk.feedback.take_base_record(offered("peer.example"));
  desk.feedback.end_base();
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::Encrypt);
}

TEST_CASE("where there is no kept base, rows that depend on it answer encrypt until all is read") {
  Desk desk;
  desk.begin(Feedback::Base::Committed);
  desk.feedback.take_base_record(offered("peer.example"));
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::Encrypt);
  desk.feedback.end_base();
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::May);
}

TEST_CASE("until the base of store counts nothing is proposed, and afterwards what still holds") {
  Desk desk;
  desk.load_kept();
  const bool is_early = GENERATE(true, false);
  if (!is_early) desk.begin(Feedback::Base::Committed);
  // An admin's reset: the offer is forgotten.
  REQUIRE(desk.feedback.reset({}, model::normalise_key("peer.example")));
  desk.feedback.tick();
  desk.feedback.propose_again();
  CHECK(desk.heard.proposals.empty());
  if (is_early) desk.begin(Feedback::Base::Committed);
  SECTION("the destination stayed as it was") {
    desk.feedback.take_base_record(offered("peer.example"));
    desk.feedback.end_base();
    REQUIRE(desk.heard.proposals.size() == 1);
    CHECK(desk.level_of("peer.example") == Level::Encrypt);
    desk.feedback.committed(desk.heard.proposals.front().id);
    CHECK(desk.level_of("peer.example") == Level::May);
  }
  SECTION("a newer state of it was committed since") {
    auto newer = offered("peer.example");
    // Or one of the same version: another process may have made it of the same state.
    if (is_early) ++newer.state.version;
    newer.state.worked_at = kNow - 30;
    desk.feedback.take_base_record(newer);
    desk.feedback.end_base();
    desk.feedback.tick();
    CHECK(desk.heard.proposals.empty());
    CHECK(desk.feedback.open_proposals() == 0);
    CHECK(desk.level_of("peer.example") == Level::Encrypt);
  }
}

TEST_CASE("what is due by the kept base is not decided before that of store says that it stands") {
  // A downgrade that has ended.
  auto lowered = offered("peer.example");
  lowered.state.phase = model::Phase::Downgraded;
  lowered.state.since = kNow - 7200;
  lowered.state.until = kNow - 3600;
  lowered.state.length = 3600;
  Desk desk;
  desk.begin(Feedback::Base::Kept);
  desk.feedback.take_base_record(lowered);
  desk.feedback.end_base();
  desk.feedback.rules_changed();
  desk.feedback.tick();
  CHECK(desk.heard.proposals.empty());
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  desk.begin(Feedback::Base::Committed);
  SECTION("it stands") {
    desk.feedback.take_base_record(lowered);
    desk.feedback.end_base();
    REQUIRE(desk.heard.proposals.size() == 1);
    CHECK(desk.heard.proposals.front().decisions.size() == 1);
  }
  SECTION("it was decided already") {
    auto ended = offered("peer.example");
    ended.state.version = lowered.state.version + 1;
    desk.feedback.take_base_record(ended);
    desk.feedback.end_base();
    desk.feedback.tick();
    CHECK(desk.heard.proposals.empty());
  }
}

TEST_CASE("a base that can't be read to its end makes nothing known or unknown") {
  Desk desk;
  const bool has_kept = GENERATE(true, false);
  if (has_kept) desk.load_kept();
  desk.begin(Feedback::Base::Committed);
  desk.feedback.take_base_record(offered("new.example"));
  desk.feedback.drop_base();
  CHECK(desk.feedback.has_base() == has_kept);
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == (has_kept ? Level::May : Level::Encrypt));
  // The next one is wanted.
  desk.begin(Feedback::Base::Committed);
  desk.feedback.end_base();
  CHECK(desk.level_of("peer.example") == Level::May);
}
