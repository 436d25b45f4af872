// What the daemon remembers of one destination: whether it does TLS, how it failed, and what was
// decided about it. Made by evidence alone, never by a look-up. Data only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "src/model/evidence.h"
#include "src/model/level.h"

namespace model {

// Where a destination stands with its profile's fallback.
enum class Phase : std::uint8_t {
  Normal,
  Downgraded,  // answered `to` until `until`
  Rerouted,    // handed to reroute_to until `until`
  Probation,   // the downgrade is over; one more failure brings it back
  Trial,       // the same for a reroute
};
inline constexpr std::array kPhases{Phase::Normal, Phase::Downgraded, Phase::Rerouted,
                                    Phase::Probation, Phase::Trial};
std::string_view to_word(Phase phase);
std::optional<Phase> parse_phase(std::string_view word);

struct DestinationState {
  std::uint64_t version = 0;
  // Wall seconds, 0 = never: STARTTLS was last seen offered, last seen missing; TLS last worked.
  std::int64_t offered_at = 0;
  std::int64_t absent_at = 0;
  std::int64_t worked_at = 0;
  std::int64_t offered_lived = 0;  // offered_at on the other clock
  // When a freeze was over that these failures were seen in or before, on that clock: those up to
  // then keep the level up and lower nothing. 0 = there was none.
  std::int64_t thawed_lived = 0;
  // Of the phase: since and until when, how long it was meant to be.
  std::int64_t since = 0;
  std::int64_t until = 0;
  std::int64_t length = 0;
  Phase phase = Phase::Normal;
  Level to = Level::May;
  bool is_confirmed = false;  // a probe or a trusted log agrees that TLS fails
  bool is_failing = false;    // an alarm was raised, and TLS has not worked since
  bool has_vanished = false;  // STARTTLS was offered within memory, and then no longer
  // What counts against it, oldest first: each failure `retry_after` after the one before.
  struct Failure {
    Moment at;
    Evidence evidence;
    bool operator==(const Failure&) const = default;
  };
  std::vector<Failure> failures;

  bool operator==(const DestinationState&) const = default;
  // True where losing it could weaken an answer, or hide what was decided.
  [[nodiscard]] bool matters() const {
    return offered_at != 0 || phase != Phase::Normal || !failures.empty();
  }
};

}  // namespace model
