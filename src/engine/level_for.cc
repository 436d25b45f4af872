#include "src/engine/level_for.h"

#include <algorithm>

namespace engine {

using model::Cause;
using model::Certainty;
using model::DestinationState;
using model::Fallback;
using model::Level;
using model::Moment;
using model::Phase;

bool is_offer_remembered(const Rules& rules, const DestinationState& state, Moment now) {
  if (state.offered_at == 0) return false;
  return rules.remember_for == 0 || now.lived - state.offered_lived < rules.remember_for;
}

bool is_absence_remembered(const Rules& rules, const DestinationState& state, Moment now) {
  if (state.absent_at == 0) return false;
  return rules.remember_for == 0 || now.wall - state.absent_at < rules.remember_for;
}

std::int64_t count_failures(const Rules& rules, const DestinationState& state, Moment now) {
  std::int64_t count = 0;
  for (const auto& failure : state.failures) {
    if (now.wall - failure.at.wall < rules.failure_memory) ++count;
  }
  return count;
}

std::int64_t count_against(const Rules& rules, const DestinationState& state, Moment now) {
  std::int64_t count = 0;
  for (const auto& failure : state.failures) {
    const bool is_excused = failure.at.lived <= state.thawed_lived;
    if (!is_excused && now.wall - failure.at.wall < rules.failure_memory) ++count;
  }
  return count;
}

std::int64_t needed_failures(const Rules& rules, const DestinationState& state) {
  const bool was_offered = state.offered_at != 0;
  const auto is_doubtful = [was_offered](const DestinationState::Failure& failure) {
    const auto cause = failure.evidence.outcome.cause;
    return cause == Cause::Timeout || (cause == Cause::StarttlsNotSupported && was_offered);
  };
  return rules.attempts + (std::ranges::any_of(state.failures, is_doubtful) ? 1 : 0);
}

bool is_downgraded(const Rules& rules, const DestinationState& state, Moment now) {
  return rules.fallback == Fallback::AfterRetry && rules.may_downgrade &&
         state.phase == Phase::Downgraded && now.wall < state.until;
}

bool is_rerouted(const Rules& rules, const DestinationState& state, Moment now) {
  return rules.fallback == Fallback::Reroute && rules.may_downgrade &&
         state.phase == Phase::Rerouted && now.wall < state.until;
}

Held level_for(const Rules& rules, const DestinationState* state, Moment now, Memory memory) {
  if (!depends_on_state(rules)) {
    return {rules.level, "the profile's level", Certainty::Firm};
  }
  if (state == nullptr) {
    if (memory == Memory::Missing) {
      return {at_least_encrypt(rules.level), "what was learned before is not loaded yet",
              Certainty::Unknown};
    }
    if (memory == Memory::Full && rules.fallback == Fallback::UnlessOffered) {
      return {at_least_encrypt(rules.level), "the table of known destinations is full"};
    }
  } else if (is_downgraded(rules, *state, now)) {
    return {state->to, "downgraded, because TLS failed again and again"};
  } else if (state->phase == Phase::Downgraded || state->phase == Phase::Probation) {
    return {at_least_encrypt(rules.level), "on probation after a downgrade"};
  } else if (is_offer_remembered(rules, *state, now)) {
    // Failures lower it under after-retry; while the offer is remembered, nothing does otherwise.
    const bool is_firm = rules.fallback == Fallback::UnlessOffered || !rules.may_downgrade;
    return {at_least_encrypt(rules.level), "the peer has offered STARTTLS",
            is_firm ? Certainty::Firm : Certainty::Loose};
  } else if (count_failures(rules, *state, now) > 0) {
    return {at_least_encrypt(rules.level), "TLS failed, and is tried again"};
  } else if (is_absence_remembered(rules, *state, now)) {
    return {rules.level, "the peer does not offer STARTTLS"};
  }
  const Level first =
      rules.first_contact == Level::Encrypt ? at_least_encrypt(rules.level) : rules.level;
  return {first, "nothing is known of the peer yet"};
}

}  // namespace engine
