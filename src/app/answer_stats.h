// What the sessions counted, in the form in which it is reported.
#pragma once

#include <chrono>

#include "src/wire/role_message.h"
#include "tlsmap/session.h"

namespace app {

void add_counters(wire::AnswerStats& stats, const tlsmap::Counters& counters);
// One answer that took so long.
void add_sample(wire::LatencyCounts& latency, std::chrono::nanoseconds took);

}  // namespace app
