// May a newly compiled policy replace the one in force by itself, or must an admin accept it?
#pragma once

#include <cstdint>
#include <string_view>

#include "src/model/inbound_rule.h"
#include "src/model/submission_rule.h"
#include "src/model/verdict.h"

namespace engine {

// How one table of the new policy differs from that of the one in force, counted over the rows of
// the old one that hold now (neither expired nor only observing).
struct Difference {
  std::string_view table = "outbound";
  std::uint64_t rows_before = 0;
  std::uint64_t rows_after = 0;
  std::uint64_t dropped = 0;   // absent, expired or observing in the new policy
  std::uint64_t weakened = 0;  // less strict level, or the same level with a looser fallback
};

// True where the row `after` asks less of a delivery than `before`. A faulty row answers TEMP and
// so never asks less.
bool is_weaker(const model::PolicyRow& after, const model::PolicyRow& before);

// The same of two rules for the same incoming mail.
bool is_weaker(const model::InboundRule& after, const model::InboundRule& before);
// And of two rows for the same sender.
bool is_weaker(const model::SubmissionRule& after, const model::SubmissionRule& before);

// DESIGN section 2: more than 20 % of the rows and more than 100 of them dropped or weakened.
inline constexpr std::uint64_t kHeldRows = 100;
inline constexpr std::uint64_t kHeldPercent = 20;
bool needs_acceptance(const Difference& difference);

}  // namespace engine
