#include "src/engine/repeats.h"

#include <algorithm>
#include <cstdlib>

namespace engine {
namespace {

// A log is read so late at most and still believed; what looks later is a clock that was set.
constexpr std::int64_t kLatest = 3'600;

}  // namespace

bool repeats(const Rules& rules, const model::DestinationState& state, const model::Evidence& seen,
             model::Moment now) {
  const auto& failures = state.failures;
  // A failure after a freeze is the first again, however soon it follows one in it.
  if (!failures.empty() && failures.back().at.lived > state.thawed_lived &&
      now.lived - failures.back().at.lived < rules.retry_after) {
    return true;
  }
  // All other sources speak of what has just happened.
  if (seen.source != model::Source::Maillog) return false;
  const auto outlived_by = state.worked_at - seen.at;
  if (outlived_by > 0 && outlived_by < kLatest) return true;
  return std::any_of(failures.begin(), failures.end(), [&](const auto& failure) {
    return std::abs(seen.at - failure.evidence.at) < rules.retry_after;
  });
}

}  // namespace engine
