#include "src/app/alarm_command.h"

#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "src/app/child.h"
#include "src/app/spawn_attributes.h"
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

bool AlarmCommand::has_room(std::int64_t now) {
  if (now / 60 != minute_) {
    minute_ = now / 60;
    count_ = 0;
  }
  if (++count_ > kMostAlarmsAMinute) {
    if (count_ == kMostAlarmsAMinute + 1) {
      base::log_warning("more than {} alarms in a minute: alarm_command rests until the next",
                        kMostAlarmsAMinute);
    }
    return false;
  }
  const bool was_crowded = std::exchange(is_crowded_, running_.size() >= kMostRunning);
  if (is_crowded_ && !was_crowded) {
    base::log_warning(
        "alarm_command: {} of them are still running; alarms are only logged until one ends",
        running_.size());
  }
  return !is_crowded_;
}

void AlarmCommand::on_exit(pid_t pid, int status) {
  if (running_.erase(pid) == 0) return;
  if (std::exchange(has_failed_, status != 0) || status == 0) return;
  base::log_error("alarm_command {}: the alarm may have reached nobody", describe_end(status));
}

void AlarmCommand::run(const std::string& command, const wire::AlarmMessage& alarm,
                       std::int64_t now) {
  if (command.empty() || !has_room(now)) return;
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
  const SpawnAttributes attributes;
  const int error = ::posix_spawn(&pid, command.c_str(), nullptr, attributes.get(), argv.data(),
                                  environment.data());
  if (error == 0) {
    running_.insert(pid);
  } else {
    base::log_error("alarm_command {}: {}", command, std::strerror(error));
  }
}

}  // namespace app
