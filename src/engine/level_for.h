// Which level holds for a destination now: DESIGN section 4, the table under "known of the
// destination". Pure; changes nothing, decides nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/engine/rules.h"
#include "src/model/destination_state.h"

namespace engine {

// What the absence of a state means.
enum class Memory : std::uint8_t {
  Whole,    // nothing is known of the destination
  Full,     // or its state found no place: the table holds more important ones
  Missing,  // no state was loaded yet
};

struct Held {
  model::Level level = model::Level::Encrypt;
  std::string_view why;  // one clause, static
  model::Certainty certainty = model::Certainty::Loose;
};

// `state` is null where there is none.
Held level_for(const Rules& rules, const model::DestinationState* state, model::Moment now,
               Memory memory);

// What of the state holds now, each by the clock that errs on the strict side.
[[nodiscard]] bool is_offer_remembered(const Rules& rules, const model::DestinationState& state,
                                       model::Moment now);
[[nodiscard]] bool is_absence_remembered(const Rules& rules, const model::DestinationState& state,
                                         model::Moment now);
// How many failures are remembered: one keeps the level up.
[[nodiscard]] std::int64_t count_failures(const Rules& rules, const model::DestinationState& state,
                                          model::Moment now);
// How many of them may lower it: those that no freeze excuses, because they were hardly the peer's.
[[nodiscard]] std::int64_t count_against(const Rules& rules, const model::DestinationState& state,
                                         model::Moment now);
// How many lower it. A handshake that times out, or STARTTLS that is gone, may be an overloaded
// peer or a gateway in between: one attempt more. From a peer that never offered it, nothing is
// gone.
[[nodiscard]] std::int64_t needed_failures(const Rules& rules,
                                           const model::DestinationState& state);
// True while a downgrade that these rules allow is in force.
[[nodiscard]] bool is_downgraded(const Rules& rules, const model::DestinationState& state,
                                 model::Moment now);
// True while mail goes to `reroute_to`.
[[nodiscard]] bool is_rerouted(const Rules& rules, const model::DestinationState& state,
                               model::Moment now);

}  // namespace engine
