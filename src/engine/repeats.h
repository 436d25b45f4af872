// Whether a failure is one more, or one that is on record already: said by a second source, of the
// same moment, or long ago and only read now (DESIGN section 3, "Never count"). Pure.
#pragma once

#include "src/engine/rules.h"
#include "src/model/destination_state.h"

namespace engine {

// True where `seen`, a failure, adds nothing to the failures of `state`.
[[nodiscard]] bool repeats(const Rules& rules, const model::DestinationState& state,
                           const model::Evidence& seen, model::Moment now);

}  // namespace engine
