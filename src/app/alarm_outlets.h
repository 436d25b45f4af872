// Where an alarm goes once the parent knows of it: alarm_command, alarm_mail.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "src/app/alarm_command.h"
#include "src/app/alarm_mail.h"
#include "src/app/config.h"
#include "src/base/clock.h"
#include "src/net/loop.h"

namespace app {

class AlarmOutlets {
 public:
  // Both outlive it; `config` is the one in force, whenever an alarm comes.
  AlarmOutlets(net::Loop& loop, const Config& config);

  void tell(const wire::AlarmMessage& alarm);
  // A child that is none of the roles has ended.
  void on_exit(pid_t pid, int status);
  // At the end: what waits goes now, and is given two seconds.
  void flush();

 private:
  void mail();

  const Config& config_;
  base::SystemClock clock_;
  AlarmCommand command_;
  AlarmGathering gathering_;
  std::set<pid_t> mailers_;
  net::Timer due_;
};

}  // namespace app
