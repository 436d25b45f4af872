// A ProbeRecord as bytes, for the channel between `net` and `store`. Both ends are the same binary
// on the same host, but `net` has spoken with strangers: what is not within bounds is no record.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/model/probe_record.h"

namespace wire {

// Of whatever a record may hold, fewer than 60,000 bytes: texts that are too long are cut, further
// peers and hosts left out.
void append_record(std::string& out, const model::ProbeRecord& record);
// Takes one record off the front; nothing where the bytes make none.
std::optional<model::ProbeRecord> take_probe_record(std::string_view& bytes);

}  // namespace wire
