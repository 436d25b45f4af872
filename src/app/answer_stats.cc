#include "src/app/answer_stats.h"

namespace app {

void add_counters(wire::AnswerStats& stats, const tlsmap::Counters& counters) {
  for (const auto& table : counters.answers) {
    stats.ok += table[static_cast<std::size_t>(tlsmap::Status::Ok)];
    stats.not_found += table[static_cast<std::size_t>(tlsmap::Status::NotFound)];
    stats.temp += table[static_cast<std::size_t>(tlsmap::Status::Temp)];
    stats.perm += table[static_cast<std::size_t>(tlsmap::Status::Perm)];
  }
  stats.perm += counters.unknown_map;
  stats.malformed = counters.malformed;
  stats.outcomes = counters.outcomes;
  stats.orphans = counters.orphans;
  stats.untrusted = counters.untrusted;
  stats.kept = counters.kept;
  stats.bounced = counters.bounced;
}

}  // namespace app
