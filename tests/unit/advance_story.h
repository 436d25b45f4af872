// One destination, told event by event: what a test of advance() says and asks.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/engine/advance.h"
#include "src/engine/level_for.h"

namespace test {

using engine::Rules;
using model::Evidence;
using model::Fallback;
using model::Level;
using model::Source;

inline Evidence failed(model::Cause cause, Source source = Source::Outcome,
                       bool is_trusted = true) {
  Evidence evidence;
  evidence.outcome.cause = cause;
  evidence.source = source;
  evidence.is_trusted = is_trusted;
  return evidence;
}

inline Evidence worked(Source source = Source::Outcome, bool is_trusted = true) {
  Evidence evidence;
  evidence.outcome.security = model::Security::Encrypted;
  evidence.source = source;
  evidence.is_trusted = is_trusted;
  return evidence;
}

inline Rules rules_with(Fallback fallback, Level level) {
  Rules rules;
  rules.fallback = fallback;
  rules.level = level;
  rules.may_downgrade = true;
  rules.rule = "peer.example";
  if (fallback == Fallback::UnlessOffered) rules.first_contact = Level::Encrypt;
  if (fallback == Fallback::Bounce) rules.attempts = 1;
  return rules;
}

// One destination and two clocks that run together unless a test moves one alone.
struct Story {
  explicit Story(Rules its_rules) : rules(its_rules) {}

  void see(Evidence evidence) {
    evidence.at = now.wall;
    take(engine::Seen{std::move(evidence)});
  }
  void tick() { take(engine::Tick{}); }
  void take(const engine::Event& event) {
    auto advanced = advance(&rules, state, event, now, frozen);
    state = std::move(advanced.state);
    for (auto& decision : advanced.decisions) decisions.push_back(std::move(decision));
    for (const auto& alarm : advanced.alarms) alarms.push_back(alarm);
    due_in = advanced.due_in;
  }
  void wait(std::int64_t seconds) {
    now.wall += seconds;
    now.lived += seconds;
  }
  [[nodiscard]] Level level() const {
    return level_for(rules, &state, now, engine::Memory::Whole).level;
  }
  [[nodiscard]] std::string last() const {
    return decisions.empty() ? "none" : std::string(to_word(decisions.back().kind));
  }

  Rules rules;
  model::DestinationState state;
  model::Moment now{1'800'000'000, 1'000};
  bool frozen = false;
  std::vector<model::Decision> decisions;
  std::vector<engine::Alarm> alarms;
  std::optional<std::int64_t> due_in;
};

}  // namespace test
