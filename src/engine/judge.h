// From a key to a verdict. Pure: rows, mode and time come in, a verdict goes out.
//
// It holds promise 1: a fault is never "not found". It knows no evidence: the level of a verdict is
// the profile's, until level_for() has said what holds now.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/level_for.h"
#include "src/engine/precedence.h"
#include "src/model/oracle.h"
#include "src/model/verdict.h"

namespace engine {

// A row that was looked at for a key, and what became of it.
struct Considered {
  enum class Fate : std::uint8_t { Won, Outranked, Expired, Observed, Faulty };
  Fate fate;
  model::Step step;
  model::PolicyRow row;
};

// The verdict for one question. `mode` is the daemon's: while it is Observe everything answers as
// if absent. Rows in mode observe and expired rows (expires_at <= now) are passed over, the next
// step is asked. A faulty row that would have won makes the verdict Unknown. With `considered`
// every row of every step is listed, strongest first, also those behind the winner; while `mode` is
// Observe the row that would have won is listed as Observed, or as Faulty.
model::Verdict judge(const model::PolicyRows& rows, const model::Question& question,
                     model::RowMode mode, base::sys_seconds now,
                     std::vector<Considered>* considered = nullptr);

// What a row that is not enforced would answer: the nearest one that has not expired, where its own
// mode or the daemon's is Observe. Nothing where that row is enforced, or there is none. Kind
// Unknown is a row at fault, which would be answered TEMP.
std::optional<model::Verdict> judge_observed(const model::PolicyRows& rows,
                                             const model::Question& question, model::RowMode mode,
                                             base::sys_seconds now);

// Gives `verdict` the level that what is known of the destination decides, and the reason for it;
// a transport for TLS alone raises it.
void hold_level(model::Verdict& verdict, const Held& held, model::Transport transport);

// The verdict while there is no policy at all: Unknown, or NotFound in mode observe, which must
// never delay mail (RELIABILITY section 3).
model::Verdict judge_without_policy(model::RowMode mode);

}  // namespace engine
