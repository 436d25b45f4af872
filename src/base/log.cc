#include "src/base/log.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "src/base/clock.h"

namespace base {
namespace {

struct Sink {
  std::string process = "tlspolicyd";
  LogLevel least = LogLevel::Info;
  bool journal = false;
};

// The one global of the program: a log that must be handed around is a log that is not written.
Sink& sink() {
  static Sink the_sink;
  return the_sink;
}

struct LevelName {
  LogLevel level;
  std::string_view word;
  int priority;  // sd-daemon(3)
};
constexpr std::array kLevels{
    LevelName{LogLevel::Debug, "debug", 7}, LevelName{LogLevel::Info, "info", 6},
    LevelName{LogLevel::Warning, "warning", 4}, LevelName{LogLevel::Error, "error", 3}};

// Whoever can put a line end into a record can write records of his own.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return line;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view word) {
  for (const auto& name : kLevels) {
    if (name.word == word) return name.level;
  }
  return std::nullopt;
}

void start_log(std::string process, LogLevel least) {
  sink().process = std::move(process);
  sink().least = least;
  sink().journal = std::getenv("JOURNAL_STREAM") != nullptr;
}

void set_log_level(LogLevel least) {
  sink().least = least;
}

bool is_logged(LogLevel level) {
  return level >= sink().least;
}

void write_log(LogLevel level, std::string_view line) {
  const LevelName& name = kLevels.at(static_cast<std::size_t>(level));
  // Info carries no word: the plain line is the normal case.
  const std::string_view word = level == LogLevel::Info ? std::string_view{} : name.word;
  const std::string_view colon = word.empty() ? "" : ": ";
  const std::string text = on_one_line(line);
  const std::string record =
      sink().journal
          ? fmt::format("<{}>{}: {}{}{}\n", name.priority, sink().process, word, colon, text)
          : fmt::format("{} {}[{}]: {}{}{}\n", iso_time(SystemClock{}.now()), sink().process,
                        ::getpid(), word, colon, text);
  // A log that can't be written must not stop the service: nothing is left to do with the error.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, record.data(), record.size());
}

}  // namespace base
