// Laws of the state machine over random stories. A million sequences of random events where
// TLSPOLICYD_LONG is set, a hundred thousand otherwise; each is made from its number alone.
#include <cstdlib>
#include <random>
#include <vector>

#include "src/engine/advance.h"
#include "src/engine/level_for.h"
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

Rules random_rules(Random& random) {
  constexpr std::int64_t kDurations[] = {1, 60, 300, 3600, 86'400};
  constexpr Level kWeak[] = {Level::None, Level::May};
  constexpr Level kLowered[] = {Level::None, Level::May, Level::Encrypt};
  Rules rules;
  rules.rule = "peer.example";
  rules.fallback = pick(random, model::kFallbacks);
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
  Evidence evidence;
  evidence.outcome.security = pick(random, model::kSecurities);
  if (random() % 3 != 0) evidence.outcome.cause = pick(random, model::kCauses);
  evidence.source = pick(random, model::kSources);
  evidence.is_trusted = random() % 4 != 0;
  evidence.was_offered = random() % 4 == 0;
  return evidence;
}

Event random_event(Random& random) {
  switch (random() % 12) {
    case 0:
      return Reset{};
    case 1:
      return RulesChanged{};
    case 2:
    case 3:
    case 4:
      return Tick{};
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      break;
  }
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

bool is_untrusted(const Event& event) {
  const auto* seen = std::get_if<Seen>(&event);
  return seen != nullptr && !seen->evidence.is_trusted;
}

// A probe or a datagram, which may confirm and never start.
bool is_second_hand(const Event& event) {
  const auto* seen = std::get_if<Seen>(&event);
  return seen != nullptr && !model::is_mail(seen->evidence.source);
}

struct Sequence {
  explicit Sequence(std::uint64_t number) : random(number), rules(random_rules(random)) {}

  // The name of the law that was broken, or nothing.
  std::string_view step() {
    pass(random, now);
    auto event = random_event(random);
    // Some of it is told late.
    if (auto* seen = std::get_if<Seen>(&event)) {
      seen->evidence.at = now.wall - (random() % 4 == 0 ? 400 : 0);
    }
    const bool is_frozen = random() % 5 == 0;
    const auto after = advance(&rules, state, event, now, is_frozen);
    const auto held = level_for(rules, &after.state, now, Memory::Whole).level;
    if (model::strictness(held) < floor_of(rules)) return "an answer below the admin's floor";
    if (is_untrusted(event) && !(after.state == state)) return "untrusted evidence changed a state";
    if (is_frozen && is_lowered(after.state) && !is_lowered(state)) return "lowered in a freeze";
    if (is_second_hand(event) && state.failures.empty() && is_away(after.state) &&
        !is_away(state)) {
      return "lowered or rerouted though mail saw no failure";
    }
    if (is_lowered(after.state) && !is_lowered(state) && after.decisions.empty()) {
      return "lowered without a decision";
    }
    if (is_lowered(after.state) && after.state.until - after.state.since >
                                       std::max(rules.downgrade_for, rules.downgrade_max)) {
      return "lowered for longer than downgrade_max";
    }
    const auto ticked = advance(&rules, after.state, Tick{}, now, is_frozen);
    const auto twice = advance(&rules, ticked.state, Tick{}, now, is_frozen);
    if (!(twice.state == ticked.state) || !twice.decisions.empty()) return "a tick that isn't idle";
    events.push_back({event, now, is_frozen});
    state = after.state;
    return {};
  }

  [[nodiscard]] DestinationState replay() const {
    DestinationState again;
    for (const auto& [event, at, is_frozen] : events) {
      again = advance(&rules, again, event, at, is_frozen).state;
    }
    return again;
  }

  static bool is_lowered(const DestinationState& some) { return some.phase == Phase::Downgraded; }

  static bool is_away(const DestinationState& some) {
    return some.phase == Phase::Downgraded || some.phase == Phase::Rerouted;
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
  const std::uint64_t sequences = std::getenv("TLSPOLICYD_LONG") == nullptr ? 100'000 : 1'000'000;
  for (std::uint64_t number = 0; number < sequences; ++number) {
    Sequence sequence(number);
    for (int i = 0; i < 24; ++i) {
      const auto broken = sequence.step();
      if (broken.empty()) continue;
      FAIL("sequence " << number << ", event " << i << ": " << broken);
    }
    if (!(sequence.replay() == sequence.state)) FAIL("sequence " << number << ": replay differs");
  }
  SUCCEED();
}
