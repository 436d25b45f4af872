// A decision is made, and written down, as of one moment.
#include "src/jobs/feedback.h"
#include "tests/unit/catch.h"
#include "tests/unit/heard_proposals.h"
#include "tests/unit/offered_state.h"

namespace {

using jobs::Feedback;

// A second passes whenever somebody looks.
struct RunningClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(test::kNow + looks_));
  }
  [[nodiscard]] base::SteadyPoint steady() const override {
    return base::SteadyPoint(std::chrono::seconds(++looks_));
  }

 private:
  mutable std::int64_t looks_ = 0;
};

struct Soon final : jobs::RuleBook {
  std::optional<engine::Rules> rules_for(std::string_view /*view*/,
                                         const model::Key& /*key*/) override {
    engine::Rules rules;
    rules.level = model::Level::Encrypt;
    rules.fallback = model::Fallback::AfterRetry;
    rules.attempts = 1;
    rules.retry_after = 1;
    rules.may_downgrade = true;
    return rules;
  }
};

}  // namespace

TEST_CASE("a downgrade ends as long after its own moment as the profile says") {
  RunningClock clock;
  Soon rules;
  test::HeardProposals heard;
  Feedback feedback(clock, rules, heard);
  REQUIRE(feedback.begin_base(Feedback::Base::Committed, {test::kNow, 1}));
  feedback.end_base();
  model::Evidence failure;
  failure.source = model::Source::Outcome;
  failure.outcome.cause = model::Cause::HandshakeFailure;
  failure.is_trusted = true;
  failure.at = test::kNow;
  feedback.take({}, model::normalise_key("peer.example"), failure);
  for (int i = 0; i < 10; ++i) feedback.tick();
  std::size_t downgrades = 0;
  for (const auto& proposal : heard.proposals) {
    for (const auto& decision : proposal.decisions) {
      REQUIRE(decision.kind == model::DecisionKind::Downgrade);
      CHECK(decision.until == proposal.at + engine::Rules{}.downgrade_for);
      ++downgrades;
    }
  }
  CHECK(downgrades == 1);
}
