// What was decided about a destination, or about all of them, as it stands in the ledger. Data
// only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/evidence.h"
#include "src/model/level.h"

namespace model {

enum class DecisionKind : std::uint8_t {
  Downgrade,         // plaintext is allowed until `until`
  Reroute,           // another transport carries the mail until `until`
  Restore,           // that is over; `why` says by what
  Freeze,            // so many fail at once that the fault is likely ours: nothing is decided
  Thaw,              // that is over
  StarttlsVanished,  // a peer that offered STARTTLS no longer does
  ReOffered,         // and then again
  Reset,             // an admin had the state of a destination forgotten
  Panic,             // an admin switched the whole daemon to observe or enforce
  Accept,            // an admin let a publication through that drops or weakens much
};
inline constexpr std::array kDecisionKinds{DecisionKind::Downgrade, DecisionKind::Reroute,
                                           DecisionKind::Restore,   DecisionKind::Freeze,
                                           DecisionKind::Thaw,      DecisionKind::StarttlsVanished,
                                           DecisionKind::ReOffered, DecisionKind::Reset,
                                           DecisionKind::Panic,     DecisionKind::Accept};
std::string_view to_word(DecisionKind kind);
std::optional<DecisionKind> parse_decision_kind(std::string_view word);

struct Decision {
  DecisionKind kind = DecisionKind::Downgrade;
  std::optional<Level> from;
  std::optional<Level> to;
  std::string why;         // one clause: "expiry", "delivery", "2 failures 300 s apart"
  std::string rule;        // the row's destination
  std::string fallback;    // the word of it, where a row decided
  std::int64_t until = 0;  // seconds since the epoch; 0 = it has no end
  std::vector<Evidence> evidence;
  bool operator==(const Decision&) const = default;
};

}  // namespace model
