#include "src/app/answer_stats.h"

#include <algorithm>

#include "src/model/overview.h"

namespace app {

void add_counters(wire::AnswerStats& stats, const tlsmap::Counters& counters) {
  for (const auto& table : counters.answers) {
    stats.ok += table[static_cast<std::size_t>(tlsmap::Status::Ok)];
    stats.not_found += table[static_cast<std::size_t>(tlsmap::Status::NotFound)];
    stats.temp += table[static_cast<std::size_t>(tlsmap::Status::Temp)];
    stats.perm += table[static_cast<std::size_t>(tlsmap::Status::Perm)];
  }
  static_assert(sizeof stats.by_map == sizeof counters.answers);
  stats.by_map = counters.answers;
  stats.unknown_map = counters.unknown_map;
  stats.perm += counters.unknown_map;
  stats.malformed = counters.malformed;
  stats.outcomes = counters.outcomes;
  stats.orphans = counters.orphans;
  stats.untrusted = counters.untrusted;
  stats.kept = counters.kept;
  stats.bounced = counters.bounced;
}

void add_sample(wire::LatencyCounts& latency, std::chrono::nanoseconds took) {
  constexpr auto& kBounds = model::Overview::kLatencyBounds;
  static_assert(std::tuple_size_v<decltype(wire::LatencyCounts::buckets)> == kBounds.size() + 1);
  const auto seconds = std::chrono::duration<double>(took).count();
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++latency.buckets.at(static_cast<std::size_t>(bucket));
  latency.nanoseconds += static_cast<std::uint64_t>(took.count());
}

}  // namespace app
