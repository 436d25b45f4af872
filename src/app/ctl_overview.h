// What there is to see of the running service, as `status` shows it to people: what is downgraded,
// who fails, which certificates lapse, how mail went, what was decided. Some of each, and the verb
// that lists them all.
#pragma once

#include "src/app/ctl_output.h"
#include "src/base/clock.h"

namespace app::ctl {

// `overview` as the daemon told it; one that is none, as an older daemon tells none, prints
// nothing.
void print_overview(const Json& overview, base::sys_seconds now);

}  // namespace app::ctl
