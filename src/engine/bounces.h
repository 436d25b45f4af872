// When the sender is told at once: fallback `bounce` of DESIGN section 4. Pure; counts no failures
// by itself, advance() has done that.
#pragma once

#include "src/engine/rules.h"
#include "src/model/destination_state.h"

namespace engine {

// Whether the failure in `evidence`, the newest of the destination's, makes this delivery bounce
// (fallback `bounce`): `state` already knows of it.
[[nodiscard]] bool bounces(const Rules& rules, const model::DestinationState& state,
                           const model::Evidence& evidence, model::Moment now, bool is_frozen);

}  // namespace engine
