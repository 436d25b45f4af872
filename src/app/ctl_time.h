// Times as people write and read them. All in UTC; `now` comes in as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace app::ctl {

// "45", "45s", "30m", "4h", "7d", "2w": seconds, 1 to model::kLongestDuration.
std::optional<std::int64_t> parse_duration(std::string_view text);

// A duration from now on; "2026-11-22", "2026-11-22T08:15", "2026-11-22 08:15:00Z", always UTC; or
// seconds since the epoch, told from a duration by being larger than any.
base::Result<base::sys_seconds> parse_expiry(std::string_view text, base::sys_seconds now);

// The moment that "since" means, seconds since the epoch: "7d" is a week ago, a date is that date,
// nothing is the beginning of time.
base::Result<std::int64_t> parse_since(const std::string& text, base::sys_seconds now);

// "45 s", "3 min", "4 h 20 min", "12 d 3 h".
std::string describe_span(std::int64_t seconds);

// "in 4 h 20 min", "3 min ago", "now".
std::string describe_distance(std::int64_t at, base::sys_seconds now);

// As base::iso_time(); a number that no calendar has comes back as a number.
std::string iso_time_of(std::int64_t at);

// The column "expires" of a listing: the moment, with " expired" behind it where that is over; "-"
// for nothing.
std::string expiry_cell(std::optional<std::int64_t> expires_at, base::sys_seconds now);

}  // namespace app::ctl
