#include "src/engine/repeats.h"

#include <algorithm>
#include <cstdlib>

namespace engine {
namespace {

// A log is read so late at most and still believed; what looks later is a clock that was set.
constexpr std::int64_t kLatest = 3'600;

}  // namespace

std::int64_t happened_at(const model::Evidence& seen, model::Moment now) {
  if (seen.source != model::Source::Maillog) return now.wall;
  const auto age = now.wall - seen.at;
  return age > 0 && age < kLatest ? seen.at : now.wall;
}

bool repeats(const Rules& rules, const model::DestinationState& state, const model::Evidence& seen,
             model::Moment now) {
  const auto& failures = state.failures;
  // A failure after a freeze is the first again, however soon it follows one in it.
  if (!failures.empty() && failures.back().at.lived > state.thawed_lived &&
      now.lived - failures.back().at.lived < rules.retry_after) {
    return true;
  }
  if (seen.source != model::Source::Maillog) return false;
  // Over since: TLS has worked, or what it led to has begun and ended.
  if (happened_at(seen, now) < std::max(state.worked_at, state.since)) return true;
  return std::any_of(failures.begin(), failures.end(), [&](const auto& failure) {
    return std::abs(seen.at - failure.evidence.at) < rules.retry_after;
  });
}

}  // namespace engine
