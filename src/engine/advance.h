// The state machine of one destination: DESIGN section 4. A state and an event go in, the next
// state comes out, with what is to be written down and who is to be told. Pure: knows no clock, no
// file and no other destination.
//
// Untrusted evidence changes nothing. A decision that weakens an answer must be on disk before the
// new state is used; one that strengthens may be used at once.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "src/engine/rules.h"
#include "src/model/decision.h"
#include "src/model/destination_state.h"

namespace engine {

// The events.
struct Seen {
  model::Evidence evidence;
};
struct Tick {};          // time has passed
struct RulesChanged {};  // the row or its profile is another now, or gone
struct Reset {};         // an admin's word: forget the destination
struct Thawed {};        // a freeze is over: what failed in it, and before, lowers nothing
using Event = std::variant<Seen, Tick, RulesChanged, Reset, Thawed>;

// Once per change, when something is not well any more, or is again.
enum class AlarmKind : std::uint8_t { Downgraded, TlsFailing, StarttlsVanished };
struct Alarm {
  AlarmKind kind = AlarmKind::TlsFailing;
  bool is_over = false;
  bool operator==(const Alarm&) const = default;
};

struct Advanced {
  model::DestinationState state;
  std::vector<model::Decision> decisions;
  std::vector<Alarm> alarms;
  // Seconds until a Tick will change something, where one will.
  std::optional<std::int64_t> due_in;
};

// `rules` is null where no row applies: then offers are remembered and nothing is decided. While
// frozen, no downgrade and no reroute is decided.
Advanced advance(const Rules* rules, const model::DestinationState& state, const Event& event,
                 model::Moment now, bool is_frozen);

}  // namespace engine
