#include "src/base/time_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/clock.h"

namespace base {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

}  // namespace

std::string describe_span(std::int64_t seconds) {
  if (seconds < kMinute) return fmt::format("{} s", seconds);
  if (seconds < kHour) return fmt::format("{} min", seconds / kMinute);
  const bool days = seconds >= kDay;
  const auto large = days ? kDay : kHour;
  const auto small = days ? kHour : kMinute;
  const auto rest = seconds % large / small;
  const auto head = fmt::format("{} {}", seconds / large, days ? "d" : "h");
  return rest == 0 ? head : fmt::format("{} {} {}", head, rest, days ? "h" : "min");
}

std::string describe_distance(std::int64_t at, std::int64_t now) {
  at = std::clamp<std::int64_t>(at, 0, kLastTime);
  now = std::clamp<std::int64_t>(now, 0, kLastTime);
  if (at == now) return "now";
  if (at > now) return fmt::format("in {}", describe_span(at - now));
  return fmt::format("{} ago", describe_span(now - at));
}

std::string iso_time_of(std::int64_t at) {
  if (at < 0 || at > kLastTime) return fmt::format("second {}", at);
  return iso_time(sys_seconds(std::chrono::seconds(at)));
}

}  // namespace base
