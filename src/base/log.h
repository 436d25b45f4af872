// One line a record to standard error, each with one meaning, after Postfix's msg(3):
//   info     something changed, nothing to do       warning  look at it in office hours
//   error    somebody must act                      debug    off by default
// Under systemd a record carries the "<N>" prefix that journald understands; on a terminal or in a
// file it carries the time in UTC. Remote text goes through base::printable() before it comes here;
// what slips through can't end the line: every control character of a record becomes '?'.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace base {

enum class LogLevel { Debug, Info, Warning, Error };

std::optional<LogLevel> parse_log_level(std::string_view word);

// `process` stands in front of each line: "tlspolicyd/answer". Call once at start.
void start_log(std::string process, LogLevel least);
void set_log_level(LogLevel least);
[[nodiscard]] bool is_logged(LogLevel level);
void write_log(LogLevel level, std::string_view line);

template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(level)) write_log(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::Debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::Info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::Warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::Error, format, std::forward<Args>(args)...);
}

}  // namespace base
