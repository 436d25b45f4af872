// Whether a failure is one more, or one that is on record already: said by a second source, of the
// same moment, or long ago and only read now (DESIGN section 3, "Never count"). Pure.
#pragma once

#include "src/engine/rules.h"
#include "src/model/destination_state.h"

namespace engine {

// When it happened, in seconds of now.wall: what a log tells is read late at times, all other
// sources speak of what has just happened.
[[nodiscard]] std::int64_t happened_at(const model::Evidence& seen, model::Moment now);

// True where `seen`, a failure, adds nothing to the failures of `state`.
[[nodiscard]] bool repeats(const Rules& rules, const model::DestinationState& state,
                           const model::Evidence& seen, model::Moment now);

}  // namespace engine
