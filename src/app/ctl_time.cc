#include "src/app/ctl_time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "src/app/ctl_output.h"
#include "src/base/text.h"
#include "src/base/time_text.h"
#include "src/model/profile.h"

namespace app::ctl {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kWeek = 7 * kDay;
// 2001-09-09: larger than any duration, earlier than any expiry that makes sense.
constexpr std::int64_t kFirstEpochTime = 1'000'000'000;

std::int64_t unit_of(char letter) {
  if (letter == 's') return 1;
  if (letter == 'm') return kMinute;
  if (letter == 'h') return kHour;
  if (letter == 'd') return kDay;
  if (letter == 'w') return kWeek;
  return 0;
}

// Digits where `shape` has 0, else the very character of `shape`.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = shape[i] == '0' ? base::is_digit(text[i]) : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

std::int64_t number_at(std::string_view text, std::size_t at, std::size_t length) {
  return base::parse_number<std::int64_t>(text.substr(at, length)).value_or(0);
}

std::optional<std::int64_t> parse_day(std::string_view text) {
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year(static_cast<int>(number_at(text, 0, 4))),
                                    chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
                                    chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
  if (!date.ok() || date.year() < chrono::year(1970)) return std::nullopt;
  return chrono::sys_days(date).time_since_epoch().count() * kDay;
}

std::optional<std::int64_t> parse_iso(std::string_view text) {
  if (text.ends_with('Z')) {
    text.remove_suffix(1);
    if (text.size() == 10) return std::nullopt;
  }
  constexpr std::array<std::string_view, 5> kShapes{"0000-00-00", "0000-00-00T00:00",
                                                    "0000-00-00 00:00", "0000-00-00T00:00:00",
                                                    "0000-00-00 00:00:00"};
  bool fits = false;
  for (const auto shape : kShapes) fits = fits || has_shape(text, shape);
  if (!fits) return std::nullopt;
  const auto day = parse_day(text);
  if (!day) return std::nullopt;
  const auto hour = text.size() > 10 ? number_at(text, 11, 2) : 0;
  const auto minute = text.size() > 10 ? number_at(text, 14, 2) : 0;
  const auto second = text.size() > 16 ? number_at(text, 17, 2) : 0;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return *day + hour * kHour + minute * kMinute + second;
}

base::sys_seconds at_second(std::int64_t second) {
  return base::sys_seconds(std::chrono::seconds(second));
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t unit = 1;
  if (!text.empty() && !base::is_digit(text.back())) {
    unit = unit_of(text.back());
    if (unit == 0) return std::nullopt;
    text.remove_suffix(1);
  }
  const auto count = base::parse_number<std::int64_t>(text);
  if (!count || *count < 1 || *count > model::kLongestDuration / unit) return std::nullopt;
  return *count * unit;
}

base::Result<base::sys_seconds> parse_expiry(std::string_view text, base::sys_seconds now) {
  if (const auto duration = parse_duration(text)) return now + std::chrono::seconds(*duration);
  if (const auto iso = parse_iso(text)) return at_second(*iso);
  const auto epoch = base::parse_number<std::int64_t>(text);
  if (epoch && *epoch >= kFirstEpochTime && *epoch <= base::kLastTime) return at_second(*epoch);
  return base::Error{fmt::format(
      "\"{}\" is no time; write 30m, 4h, 7d or 2w from now (ten years at most), or a date in UTC: "
      "2026-11-22 or 2026-11-22T08:15",
      base::printable(text, 60))};
}

base::Result<std::int64_t> parse_since(const std::string& text, base::sys_seconds now) {
  if (text.empty()) return std::int64_t{0};
  if (const auto span = parse_duration(text)) return now.time_since_epoch().count() - *span;
  const auto at = parse_expiry(text, now);
  if (!at) {
    return base::Error{
        fmt::format("\"{}\" is no time; write how long ago, such as 30m, 4h or 7d, or a date in "
                    "UTC: 2026-11-22 or 2026-11-22T08:15",
                    terminal_text(text))};
  }
  return std::int64_t{at->time_since_epoch().count()};
}

std::string describe_span(std::int64_t seconds) {
  return base::describe_span(seconds);
}

std::string describe_distance(std::int64_t at, base::sys_seconds now) {
  return base::describe_distance(at, now.time_since_epoch().count());
}

std::string iso_time_of(std::int64_t at) {
  return base::iso_time_of(at);
}

std::string expiry_cell(std::optional<std::int64_t> expires_at, base::sys_seconds now) {
  if (!expires_at) return "-";
  const bool is_over = *expires_at <= now.time_since_epoch().count();
  return iso_time_of(*expires_at) + (is_over ? " expired" : "");
}

}  // namespace app::ctl
