// alarm_command: a program of the admin's, run once for each alarm that rises or ends. Executed
// with arguments and environment, never through a shell, and never waited for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>

#include "src/wire/role_message.h"

namespace app {

// Runs `command WHAT raised|over DESTINATION TEXT`; the same stands in TLSPOLICYD_ALARM,
// TLSPOLICYD_STATE, TLSPOLICYD_DESTINATION and TLSPOLICYD_TEXT. Nothing where `command` is empty or
// can't be run, which is logged. At most kMostAlarmsAMinute a minute, and kMostRunning at once; the
// rest is logged alone.
inline constexpr int kMostAlarmsAMinute = 60;
inline constexpr std::size_t kMostRunning = 16;

class AlarmCommand {
 public:
  void run(const std::string& command, const wire::AlarmMessage& alarm, std::int64_t now);
  // A child has ended; another's is passed over. A failure is logged when the one before was none.
  void on_exit(pid_t pid, int status);

 private:
  bool has_room(std::int64_t now);

  std::set<pid_t> running_;
  bool is_crowded_ = false;  // which is logged once
  bool has_failed_ = false;
  std::int64_t minute_ = 0;
  int count_ = 0;
};

}  // namespace app
