// `decisions --observed`: what enforcement would have done while it was off.
#pragma once

#include <cstdint>
#include <string>

#include "src/app/ctl_context.h"
#include "src/store/state_db.h"

namespace app::ctl {

// `destination` in normal form, empty for all; `since` in seconds since the epoch, 0 for all.
Exit print_observed(const Context& context, store::StateDb& db, const std::string& destination,
                    std::int64_t since);

// What to do about deliveries of which nobody knows how they went: whole sentences.
std::string explain_unknown(const Context& context, std::int64_t deliveries);

}  // namespace app::ctl
