#include "src/wire/log_stamp.h"

#include <array>

namespace wire {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t kLongestFraction = 9;

// HH:MM:SS.
bool take_time_of_day(Scan& scan, LogStamp& stamp) {
  const auto hour = scan.take_digits(2);
  if (!hour || *hour > 23 || !scan.skip(":")) return false;
  const auto minute = scan.take_digits(2);
  if (!minute || *minute > 59 || !scan.skip(":")) return false;
  const auto second = scan.take_digits(2);
  if (!second || *second > 60) return false;
  stamp.hour = *hour;
  stamp.minute = *minute;
  stamp.second = *second;
  return true;
}

bool take_bsd(Scan& scan, LogStamp& stamp) {
  for (unsigned month = 0; month < kMonths.size(); ++month) {
    if (!scan.skip(kMonths.at(month))) continue;
    stamp.month = month + 1;
    // One digit has a blank before it.
    if (!scan.skip(" ")) return false;
    const auto day = scan.skip(" ") ? scan.take_digits(1) : scan.take_digits(2);
    if (!day || *day < 1 || *day > 31 || !scan.skip(" ")) return false;
    stamp.day = *day;
    return take_time_of_day(scan, stamp);
  }
  return false;
}

// "Z", "+01:00", or "+0100" as journalctl has it; nothing at all is allowed too.
bool take_zone(Scan& scan, LogStamp& stamp) {
  if (scan.skip("Z")) {
    stamp.offset_minutes = 0;
    return true;
  }
  const bool is_west = scan.skip("-");
  if (!is_west && !scan.skip("+")) return true;
  const auto hours = scan.take_digits(2);
  scan.skip(":");
  const auto minutes = scan.take_digits(2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return false;
  const int offset = static_cast<int>(*hours * 60 + *minutes);
  stamp.offset_minutes = is_west ? -offset : offset;
  return true;
}

bool take_rfc3339(Scan& scan, LogStamp& stamp) {
  const auto year = scan.take_digits(4);
  if (!year || !scan.skip("-")) return false;
  const auto month = scan.take_digits(2);
  if (!month || *month < 1 || *month > 12 || !scan.skip("-")) return false;
  const auto day = scan.take_digits(2);
  if (!day || *day < 1 || *day > 31 || !scan.skip("T")) return false;
  stamp.year = static_cast<int>(*year);
  stamp.month = *month;
  stamp.day = *day;
  if (!take_time_of_day(scan, stamp)) return false;
  if (scan.skip(".") && !scan.take_run(base::is_digit, kLongestFraction)) return false;
  return take_zone(scan, stamp);
}

base::sys_seconds in_year(const LogStamp& stamp, int year) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(stamp.month),
                                         std::chrono::day(stamp.day)};
  return std::chrono::sys_days(date) + std::chrono::hours(stamp.hour) +
         std::chrono::minutes(stamp.minute) + std::chrono::seconds(stamp.second) -
         std::chrono::minutes(stamp.offset_minutes.value_or(0));
}

}  // namespace

std::optional<LogStamp> take_log_stamp(Scan& scan) {
  Scan ahead = scan;
  LogStamp stamp;
  const bool starts_with_digit = !ahead.at_end() && base::is_digit(ahead.rest().front());
  const bool is_read = starts_with_digit ? take_rfc3339(ahead, stamp) : take_bsd(ahead, stamp);
  if (!is_read || !ahead.skip(" ")) return std::nullopt;
  scan = ahead;
  return stamp;
}

base::sys_seconds to_time(const LogStamp& stamp, base::sys_seconds now) {
  if (stamp.year) return in_year(stamp, *stamp.year);
  const auto latest = now + std::chrono::days(1);
  const auto today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(latest));
  const int year = static_cast<int>(today.year());
  const auto this_year = in_year(stamp, year);
  return this_year <= latest ? this_year : in_year(stamp, year - 1);
}

}  // namespace wire
