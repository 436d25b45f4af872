// What the sessions counted, in the form in which it is reported.
#pragma once

#include "src/wire/role_message.h"
#include "tlsmap/session.h"

namespace app {

void add_counters(wire::AnswerStats& stats, const tlsmap::Counters& counters);

}  // namespace app
