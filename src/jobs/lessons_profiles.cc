// Which shipped profiles a destination's deliveries would have passed.
#include "src/jobs/lessons.h"

namespace jobs {
namespace {

using model::Cause;

template <class Fits>
std::uint64_t count_failures(const Lesson& lesson, Fits fits) {
  std::uint64_t count = 0;
  for (const Cause cause : model::kCauses) {
    if (fits(cause)) count += lesson.failures.at(static_cast<std::size_t>(cause));
  }
  return count;
}

// What says nothing of the peer is no failure of his.
bool is_peers(Cause cause) {
  return cause != Cause::LocalFault;
}

bool is_identity(Cause cause) {
  return is_peers(cause) && !model::is_tls_missing(cause);
}

bool is_offered_and_failed(Cause cause) {
  return model::is_tls_missing(cause) && model::is_starttls_offered(cause);
}

// `preferred` goes in clear only to who never offered STARTTLS. A delivery in clear doesn't show
// that: at `may` the log has no word of an offer that was refused [F 3.2.5].
bool passes_preferred(const Lesson& lesson) {
  const bool was_offered = lesson.tls > 0 || count_failures(lesson, is_identity) > 0;
  const bool was_absent = count_failures(lesson, model::is_tls_missing) > 0;
  return lesson.unknown == 0 && lesson.clear == 0 &&
         count_failures(lesson, is_offered_and_failed) == 0 && !(was_offered && was_absent);
}

bool passes_required(const Lesson& lesson) {
  return lesson.tls == lesson.deliveries && count_failures(lesson, model::is_tls_missing) == 0;
}

}  // namespace

std::vector<std::string_view> find_passed_profiles(const Lesson& lesson) {
  std::vector<std::string_view> passed;
  if (lesson.deliveries + count_failures(lesson, is_peers) == 0) return passed;
  passed.emplace_back("off");
  if (lesson.unanswered == 0) passed.emplace_back("opportunistic");
  if (passes_preferred(lesson)) passed.emplace_back("preferred");
  if (!passes_required(lesson)) return passed;
  passed.emplace_back("required");
  const bool is_verified = lesson.deliveries > 0 && lesson.verified == lesson.deliveries &&
                           lesson.by_other == 0 && count_failures(lesson, is_identity) == 0;
  if (is_verified) passed.emplace_back("verified");
  return passed;
}

Suggestion suggest_profile(const Lesson& lesson) {
  if (lesson.deliveries == 0) return {"", "nothing was delivered"};
  if (lesson.unknown > 0)
    return {"", "the log does not say of every delivery whether it was in TLS"};
  if (!passes_required(lesson)) return {"", "not every delivery would have been in TLS"};
  if (lesson.other_ports > 0) {
    return {"", "it goes to a port of your own choice, so Postfix asks for that next-hop instead"};
  }
  if (count_failures(lesson, is_identity) > 0) {
    return {"", "its certificate is asked for already, and did not always pass"};
  }
  if (lesson.verified == 0) return {"required", ""};
  if (lesson.by_pkix == lesson.deliveries && lesson.by_secure == 0) return {"verified", ""};
  return {
      "",
      "its certificate is asked for already; the log does not show that `verified` asks as much"};
}

}  // namespace jobs
