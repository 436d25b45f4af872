// Whether all is well, in one headline, and what to look at. Decides for the page what an Overview
// amounts to; words only, nothing of HTML.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/model/overview.h"

namespace show {

// Figures are gathered every few seconds; older ones are said to be old.
inline constexpr std::int64_t kFresh = 10;  // seconds

enum class Health : std::uint8_t {
  Well,
  Exceptions,  // the service is well; some mail goes, or waits, otherwise than its row asks
  Trouble,
};

struct Verdict {
  Health health = Health::Well;
  std::string headline;
  std::string sentence;               // what it means; may be empty
  std::vector<std::string> troubles;  // each a sentence, the gravest first
  std::string besides;                // what else holds; may be empty
};

// Never Well where a part is missing, whether or not the Overview lists that as a trouble, nor
// where it is older than kFresh. `now`: seconds since the epoch.
Verdict sum_up(const model::Overview& overview, std::int64_t now);

}  // namespace show
