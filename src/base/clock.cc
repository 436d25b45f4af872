#include "src/base/clock.h"

#include <fmt/format.h>

#include <ctime>

namespace base {
namespace {

timespec read(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return time;
}

}  // namespace

sys_seconds SystemClock::now() const {
  // The clock of the ticks costs a quarter of the exact one, which it follows within 10 ms: what it
  // says of the second is right but for the last of it. A tick may be late.
  constexpr long kLastOfSecond = 900'000'000;
  const timespec tick = read(CLOCK_REALTIME_COARSE);
  const bool is_sure = tick.tv_nsec < kLastOfSecond;
  return sys_seconds(std::chrono::seconds(is_sure ? tick.tv_sec : read(CLOCK_REALTIME).tv_sec));
}

// Asked for with each look-up, at a quarter of the cost of the exact one.
SteadyPoint SystemClock::steady() const {
  const timespec time = read(CLOCK_MONOTONIC_COARSE);
  return SteadyPoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::string iso_time(sys_seconds at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace base
