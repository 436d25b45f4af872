#include "src/engine/publication.h"

namespace engine {

bool is_weaker(const model::PolicyRow& after, const model::PolicyRow& before) {
  const bool after_defers = !after.fault.empty() || after.profile == nullptr;
  // What a faulty row asked for isn't known; to mend it weakens nothing.
  const bool before_unknown = !before.fault.empty() || before.profile == nullptr;
  if (after_defers || before_unknown) return false;
  const int level_after = model::strictness(after.profile->level);
  const int level_before = model::strictness(before.profile->level);
  if (level_after != level_before) return level_after < level_before;
  return model::strictness(after.profile->fallback) < model::strictness(before.profile->fallback);
}

bool needs_acceptance(const Difference& difference) {
  const std::uint64_t lost = difference.dropped + difference.weakened;
  return lost > kHeldRows && lost * 100 > difference.rows_before * kHeldPercent;
}

}  // namespace engine
