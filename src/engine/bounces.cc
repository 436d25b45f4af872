#include "src/engine/bounces.h"

#include "src/engine/level_for.h"

namespace engine {

using model::Cause;
using model::DestinationState;
using model::Evidence;
using model::Fallback;
using model::Moment;

bool bounces(const Rules& rules, const DestinationState& state, const Evidence& evidence,
             Moment now, bool is_frozen) {
  const auto cause = evidence.outcome.cause;
  if (rules.fallback != Fallback::Bounce || is_frozen || !evidence.is_trusted || !cause) {
    return false;
  }
  // A busy peer, a lost connection and a fault of ours mend themselves.
  if (*cause == Cause::StarttlsRefused || *cause == Cause::HangUp || *cause == Cause::Timeout ||
      *cause == Cause::LocalFault) {
    return false;
  }
  return count_against(rules, state, now) >= rules.attempts;
}

}  // namespace engine
