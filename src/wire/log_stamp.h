// The time at the head of a log line: BSD ("Nov  2 03:12:47", RFC 3164 4.1.2: no year, local time)
// or RFC 3339, with or without fraction and zone. Fractions are left out.
#pragma once

#include <optional>

#include "src/base/clock.h"
#include "src/wire/scan.h"

namespace wire {

struct LogStamp {
  std::optional<int> year;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;                // 60 in a leap second
  std::optional<int> offset_minutes;  // east of UTC
  bool operator==(const LogStamp&) const = default;
};

// Eats a stamp and the blank behind it.
std::optional<LogStamp> take_log_stamp(Scan& scan);

// A stamp without a year is of the last year in which it is not more than a day ahead of `now`; one
// without a zone is read as UTC, so it may be off by as much as the host is from it.
base::sys_seconds to_time(const LogStamp& stamp, base::sys_seconds now);

}  // namespace wire
