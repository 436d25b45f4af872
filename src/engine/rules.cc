#include "src/engine/rules.h"

#include <algorithm>

namespace engine {

using model::Fallback;
using model::Level;

Rules rules_of(const model::PolicyRow& row, model::Step step, model::KeyKind kind) {
  const model::Profile& profile = *row.profile;
  Rules rules;
  rules.level = profile.level;
  rules.fallback = profile.fallback;
  const bool asks_first = profile.fallback == Fallback::UnlessOffered;
  rules.first_contact = profile.first_contact.value_or(asks_first ? Level::Encrypt : Level::May);
  rules.downgrade_to = profile.downgrade_to.value_or(Level::May);
  // Who wants the sender told at once doesn't want to wait for a second try.
  const bool tells_at_once = profile.fallback == Fallback::Bounce;
  rules.attempts = profile.attempts.value_or(tells_at_once ? 1 : model::kDefaultAttempts);
  rules.retry_after = profile.retry_after.value_or(model::kDefaultRetryAfter);
  rules.failure_memory = profile.failure_memory.value_or(model::kDefaultFailureMemory);
  rules.downgrade_max = profile.downgrade_max.value_or(model::kDefaultDowngradeMax);
  rules.downgrade_for =
      profile.downgrade_for.value_or(std::min(model::kDefaultDowngradeFor, rules.downgrade_max));
  rules.remember_for = profile.remember_for.value_or(model::kDefaultRememberFor);
  rules.may_downgrade = kind == model::KeyKind::Domain || step == model::Step::AsWritten;
  rules.has_own_demands = !row.match.empty() || !profile.tafile.empty() ||
                          !profile.protocols.empty() || profile.min_protocol ||
                          !profile.ciphers.empty() || !profile.exclude.empty() ||
                          !profile.servername.empty();
  rules.reroute_to = profile.reroute_to;
  rules.rule = row.destination;
  return rules;
}

bool may_fall_back(Fallback fallback) {
  return fallback == Fallback::AfterRetry || fallback == Fallback::UnlessOffered;
}

bool depends_on_state(const Rules& rules) {
  return may_fall_back(rules.fallback);
}

}  // namespace engine
