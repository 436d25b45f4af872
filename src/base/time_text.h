// Times as people read them, all in UTC and in seconds; `now` comes in as a value.
#pragma once

#include <cstdint>
#include <string>

namespace base {

// 9999-12-31T23:59:59Z: four digits hold the year.
inline constexpr std::int64_t kLastTime = 253'402'300'799;

// "45 s", "3 min", "4 h 20 min", "12 d 3 h".
std::string describe_span(std::int64_t seconds);

// "in 4 h 20 min", "3 min ago", "now"; any number is taken.
std::string describe_distance(std::int64_t at, std::int64_t now);

// As iso_time(); a number that no calendar has comes back as "second 123".
std::string iso_time_of(std::int64_t at);

}  // namespace base
