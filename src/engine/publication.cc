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

bool is_weaker(const model::InboundRule& after, const model::InboundRule& before) {
  if (!after.fault.empty() || !before.fault.empty()) return false;
  // The words of both stand in order: none to certificate, reject to observe.
  return after.require < before.require || after.on_violation > before.on_violation ||
         after.min_protocol < before.min_protocol || after.min_bits < before.min_bits ||
         (after.learn_count > before.learn_count) ||
         (after.ccert_name.empty() && !before.ccert_name.empty()) ||
         (after.ccert_issuer.empty() && !before.ccert_issuer.empty()) ||
         (after.ccert_fingerprint.empty() && !before.ccert_fingerprint.empty());
}

bool is_weaker(const model::SubmissionRule& after, const model::SubmissionRule& before) {
  if (!after.fault.empty() || !before.fault.empty()) return false;
  // encrypt before verify, reject before observe.
  return after.require < before.require || after.otherwise > before.otherwise ||
         after.min_protocol < before.min_protocol;
}

bool needs_acceptance(const Difference& difference) {
  const std::uint64_t lost = difference.dropped + difference.weakened;
  return lost > kHeldRows && lost * 100 > difference.rows_before * kHeldPercent;
}

}  // namespace engine
