// The two halves of `learn`: reading the logs, and what is to be said of them.
#pragma once

#include "src/app/ctl_context.h"
#include "src/jobs/lessons.h"

namespace app::ctl {

// Prints a `tlspolicyctl set` line for each destination of which the evidence supports a profile,
// and that no row of policy.db covers as strictly; what is left out, and why, goes to standard
// error. Works without a policy.db.
Exit print_proposals(const Context& context, const jobs::Lessons& lessons, std::uint64_t at_least);

}  // namespace app::ctl
