// The messages of a mail log that begin with a queue id: delivery status lines, and the notes about
// one server of several. A part of maillog.h; no use by itself.
#pragma once

#include "src/wire/maillog.h"

namespace wire {

// True where `fact` was set. `scan` stands at the start of the message.
bool parse_queue_message(LogFact& fact, Scan scan);

}  // namespace wire
