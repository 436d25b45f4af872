#include "src/app/alarm_command.h"

#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "src/base/log.h"
#include "src/base/text.h"

namespace app {
namespace {

constexpr std::size_t kLongestText = 500;

// What came from the network is shown, never interpreted.
std::string shown(const std::string& text) {
  return base::printable(text, kLongestText);
}

}  // namespace

void AlarmCommand::run(const std::string& command, const wire::AlarmMessage& alarm,
                       std::int64_t now) {
  if (command.empty()) return;
  if (now / 60 != minute_) {
    minute_ = now / 60;
    count_ = 0;
  }
  if (++count_ > kMostAlarmsAMinute) {
    if (count_ == kMostAlarmsAMinute + 1) {
      base::log_warning("more than {} alarms in a minute: alarm_command rests until the next",
                        kMostAlarmsAMinute);
    }
    return;
  }
  std::vector<std::string> arguments{command, shown(alarm.what), alarm.is_over ? "over" : "raised",
                                     shown(alarm.destination), shown(alarm.text)};
  constexpr std::array<std::string_view, 4> kNames{"TLSPOLICYD_ALARM", "TLSPOLICYD_STATE",
                                                   "TLSPOLICYD_DESTINATION", "TLSPOLICYD_TEXT"};
  std::vector<std::string> variables;
  variables.reserve(kNames.size());
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    variables.push_back(std::string(kNames.at(i)) + "=" + arguments.at(i + 1));
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
  for (auto& one : variables) environment.push_back(one.data());
  environment.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, command.c_str(), nullptr, nullptr, argv.data(), environment.data());
  if (error != 0) base::log_error("alarm_command {}: {}", command, std::strerror(error));
}

}  // namespace app
