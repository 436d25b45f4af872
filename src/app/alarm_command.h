// alarm_command: a program of the admin's, run once for each alarm that rises or ends. Executed
// with arguments and environment, never through a shell, and never waited for.
#pragma once

#include <string>

#include "src/wire/role_message.h"

namespace app {

// Runs `command WHAT raised|over DESTINATION TEXT`; the same stands in TLSPOLICYD_ALARM,
// TLSPOLICYD_STATE, TLSPOLICYD_DESTINATION and TLSPOLICYD_TEXT. Nothing where `command` is empty or
// can't be run, which is logged. At most kMostAlarmsAMinute a minute; the rest is logged alone.
inline constexpr int kMostAlarmsAMinute = 60;

class AlarmCommand {
 public:
  void run(const std::string& command, const wire::AlarmMessage& alarm, std::int64_t now);

 private:
  std::int64_t minute_ = 0;
  int count_ = 0;
};

}  // namespace app
