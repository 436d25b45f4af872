// Laws of the state machine over random stories. A million sequences of random events where
// TLSPOLICYD_LONG is set, a hundred thousand otherwise, twenty thousand with a sanitizer; each is
// made from its number alone.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "src/engine/advance.h"
#include "src/engine/level_for.h"
#include "src/wire/state_record.h"
#include "tests/unit/catch.h"

using namespace engine;
using model::DestinationState;
using model::Evidence;
using model::Fallback;
using model::Level;
using model::Moment;
using model::Phase;

namespace {

using Random = std::mt19937_64;

template <class Values>
auto pick(Random& random, const Values& values) {
  return values[random() % std::size(values)];
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kSequences = 20'000;
#else
constexpr std::uint64_t kSequences = 100'000;
#endif

bool is_long() {
  return std::getenv("TLSPOLICYD_LONG") != nullptr;
}

Rules random_rules(Random& random) {
  constexpr std::int64_t kDurations[] = {1, 60, 300, 3600, 86'400};
  constexpr Level kWeak[] = {Level::None, Level::May};
  constexpr Level kLowered[] = {Level::None, Level::May, Level::Encrypt};
  Rules rules;
  rules.rule = "peer.example";
  rules.fallback = random() % 2 == 0 ? Fallback::AfterRetry : pick(random, model::kFallbacks);
  rules.level = pick(random, model::kLevels);
  if (rules.fallback == Fallback::AfterRetry) rules.level = pick(random, kLowered);
  if (rules.fallback == Fallback::UnlessOffered) rules.level = pick(random, kWeak);
  rules.first_contact = random() % 2 == 0 ? Level::May : Level::Encrypt;
  rules.downgrade_to = pick(random, kWeak);
  rules.attempts = 1 + static_cast<std::int64_t>(random() % 4);
  rules.retry_after = pick(random, kDurations);
  rules.failure_memory = pick(random, kDurations);
  rules.downgrade_for = pick(random, kDurations);
  rules.downgrade_max = pick(random, kDurations);
  rules.remember_for = random() % 4 == 0 ? 0 : pick(random, kDurations);
  rules.may_downgrade = random() % 4 != 0;
  return rules;
}

Evidence random_evidence(Random& random) {
  // Mostly failures, or no story gets far.
  constexpr model::Cause kUsual[] = {model::Cause::HandshakeFailure, model::Cause::HandshakeFailure,
                                     model::Cause::StarttlsNotSupported, model::Cause::Timeout};
  Evidence evidence;
  const auto kind = random() % 8;
  if (kind < 5) {
    evidence.outcome.cause = pick(random, kUsual);
  } else if (kind == 5) {
    evidence.outcome.security = model::Security::Encrypted;
  } else {
    evidence.outcome.security = pick(random, model::kSecurities);
    if (random() % 3 != 0) evidence.outcome.cause = pick(random, model::kCauses);
  }
  evidence.source = pick(random, model::kSources);
  evidence.is_trusted = random() % 4 != 0;
  evidence.was_offered = random() % 4 == 0;
  return evidence;
}

Event random_event(Random& random) {
  const auto kind = random() % 24;
  if (kind == 0) return Reset{};
  if (kind == 1) return RulesChanged{};
  if (kind == 2) return Thawed{};
  if (kind < 6) return Tick{};
  return Seen{random_evidence(random)};
}

// Time passes on both clocks; now and then the time of day is set forward alone.
void pass(Random& random, Moment& now) {
  constexpr std::int64_t kSteps[] = {0, 1, 59, 299, 300, 3600, 90'000};
  const auto step = pick(random, kSteps);
  now.wall += step;
  now.lived += step;
  if (random() % 50 == 0) now.wall += 315'360'000;
}

// The least that the admin's row lets through.
int floor_of(const Rules& rules) {
  if (rules.fallback == Fallback::AfterRetry && rules.may_downgrade) {
    return std::min(model::strictness(rules.downgrade_to), model::strictness(rules.level));
  }
  return model::strictness(rules.level);
}

// What an admin made firm: mail to it waits or bounces, whatever is seen.
bool is_mandatory(const Rules& rules) {
  return rules.fallback == Fallback::Never || rules.fallback == Fallback::Bounce ||
         !rules.may_downgrade;
}

bool is_untrusted(const Event& event) {
  const auto* seen = std::get_if<Seen>(&event);
  return seen != nullptr && !seen->evidence.is_trusted;
}

// A probe or a datagram, which may confirm and never start.
bool is_second_hand(const Event& event) {
  const auto* seen = std::get_if<Seen>(&event);
  return seen != nullptr && !model::is_mail(seen->evidence.source);
}

bool is_lowered(const DestinationState& state) {
  return state.phase == Phase::Downgraded;
}

bool is_away(const DestinationState& state) {
  return is_lowered(state) || state.phase == Phase::Rerouted;
}

// What happened in all sequences together: laws hold cheaply where nothing ever does.
struct Tally {
  std::uint64_t sequences = 0;
  std::uint64_t downgrades = 0;
  std::uint64_t reroutes = 0;
  std::uint64_t restores = 0;
};

struct Sequence {
  explicit Sequence(std::uint64_t number) : random(number), rules(random_rules(random)) {}

  // The name of the law that was broken, or nothing.
  std::string_view step(Tally& tally) {
    pass(random, now);
    auto event = random_event(random);
    // Some of it is told late.
    if (auto* seen = std::get_if<Seen>(&event)) {
      seen->evidence.at = now.wall - (random() % 4 == 0 ? 400 : 0);
    }
    const bool is_frozen = random() % 5 == 0;
    const auto after = advance(&rules, state, event, now, is_frozen);
    if (const auto broken = broken_in(event, after, is_frozen); !broken.empty()) return broken;
    for (const auto& decision : after.decisions) {
      tally.downgrades += decision.kind == model::DecisionKind::Downgrade ? 1 : 0;
      tally.reroutes += decision.kind == model::DecisionKind::Reroute ? 1 : 0;
      tally.restores += decision.kind == model::DecisionKind::Restore ? 1 : 0;
    }
    events.push_back({event, now, is_frozen});
    state = after.state;
    return {};
  }

  [[nodiscard]] std::string_view broken_in(const Event& event, const Advanced& after,
                                           bool is_frozen) const {
    if (strictness_of(after.state) < floor_of(rules)) return "an answer below the admin's floor";
    if (is_mandatory(rules) &&
        (is_lowered(after.state) || strictness_of(after.state) < model::strictness(rules.level))) {
      return "a mandatory destination was weakened";
    }
    if (is_untrusted(event) && !(after.state == state && after.decisions.empty())) {
      return "untrusted evidence changed something";
    }
    if (const auto broken = broken_by_second_hand(event, after, is_frozen); !broken.empty()) {
      return broken;
    }
    if (std::holds_alternative<Thawed>(event) && is_away(after.state) && !is_away(state)) {
      return "a thaw lowered";
    }
    if (is_lowered(after.state) && !is_lowered(state)) {
      if (is_frozen) return "lowered in a freeze";
      if (after.decisions.empty()) return "lowered without a decision";
    }
    if (is_lowered(after.state) && after.state.until - after.state.since >
                                       std::max(rules.downgrade_for, rules.downgrade_max)) {
      return "lowered for longer than downgrade_max";
    }
    const auto ticked = advance(&rules, after.state, Tick{}, now, is_frozen);
    const auto twice = advance(&rules, ticked.state, Tick{}, now, is_frozen);
    if (!(twice.state == ticked.state) || !twice.decisions.empty() || !twice.alarms.empty()) {
      return "a second tick that isn't idle";
    }
    return {};
  }

  // Compared with what time alone would have done, because every event lets time pass.
  [[nodiscard]] std::string_view broken_by_second_hand(const Event& event, const Advanced& after,
                                                       bool is_frozen) const {
    if (!is_second_hand(event) || count_against(rules, state, now) > 0) return {};
    if (is_away(after.state) && !is_away(state)) return "lowered or rerouted though no mail failed";
    const auto idle = advance(&rules, state, Tick{}, now, is_frozen).state;
    if (strictness_of(after.state) < strictness_of(idle)) return "a probe or a datagram lowered";
    return {};
  }

  [[nodiscard]] int strictness_of(const DestinationState& some) const {
    return model::strictness(level_for(rules, &some, now, Memory::Whole).level);
  }

  [[nodiscard]] DestinationState replay() const {
    DestinationState again;
    for (const auto& [event, at, is_frozen] : events) {
      again = advance(&rules, again, event, at, is_frozen).state;
    }
    return again;
  }

  struct Past {
    Event event;
    Moment at;
    bool is_frozen;
  };
  Random random;
  Rules rules;
  DestinationState state;
  Moment now{1'800'000'000, 1'000};
  std::vector<Past> events;
};

}  // namespace

TEST_CASE("advance: no order of events breaks a promise") {
  const std::uint64_t sequences = is_long() ? 1'000'000 : kSequences;
  Tally tally;
  for (std::uint64_t number = 0; number < sequences; ++number) {
    Sequence sequence(number);
    for (int i = 0; i < 24; ++i) {
      const auto broken = sequence.step(tally);
      if (broken.empty()) continue;
      FAIL("sequence " << number << ", event " << i << ": " << broken);
    }
    if (!(sequence.replay() == sequence.state)) FAIL("sequence " << number << ": replay differs");
    ++tally.sequences;
  }
  CHECK(tally.sequences == sequences);
  // Enough went down and came back, or the laws were hardly put to it.
  CHECK(tally.downgrades > sequences / 20);
  CHECK(tally.reroutes > sequences / 20);
  CHECK(tally.restores > sequences / 20);
}

// What a restart rebuilds the state from is bytes: they must hold all of it.
TEST_CASE("advance: a state that was written down goes on as if it had not been") {
  const std::uint64_t sequences = is_long() ? 100'000 : kSequences / 10;
  std::uint64_t compared = 0;
  Tally tally;
  for (std::uint64_t number = 0; number < sequences; ++number) {
    Sequence sequence(number);
    for (int i = 0; i < 24; ++i) {
      REQUIRE(sequence.step(tally).empty());
      std::string bytes;
      wire::append_state_record(bytes, {"", "peer.example", sequence.state});
      std::string_view rest = bytes;
      const auto read = wire::take_state_record(rest);
      if (!read || !(read->state == sequence.state)) FAIL("sequence " << number << ", event " << i);
      ++compared;
    }
  }
  CHECK(compared == 24 * sequences);
}
