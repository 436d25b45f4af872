// alarm_mail: alarms as mail, through a sendmail(1) of this host. One mail a minute at most; what
// comes meanwhile is gathered into the next. Executed without a shell, fed from memory, never
// waited for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/wire/role_message.h"

namespace app {

// What waits to be mailed. Pure.
class AlarmGathering {
 public:
  static constexpr std::size_t kMost = 200;  // alarms in a mail; further ones are counted alone
  static constexpr std::chrono::seconds kPause{60};

  void add(wire::AlarmMessage alarm, base::sys_seconds at);
  // When a mail is due: at once, or once the pause after the last one is over. Nothing where
  // nothing waits.
  [[nodiscard]] std::optional<base::SteadyPoint> due() const;
  // The message with its headers, or nothing before it is due. `host` names us in the subject.
  std::optional<std::string> take(const std::string& recipient, const std::string& host,
                                  base::SteadyPoint now);

 private:
  struct Waiting {
    wire::AlarmMessage alarm;
    base::sys_seconds at;
  };
  std::vector<Waiting> waiting_;
  std::size_t left_out_ = 0;
  base::SteadyPoint not_before_{};
};

// Starts `command -i -t` with `message` on its standard input. Its process, or nothing where it
// can't be run, which is logged.
std::optional<pid_t> start_sendmail(const std::string& command, const std::string& message);

// "postmaster@example.com", or a local name: what may stand behind "To: " as it is. 254 bytes at
// most (RFC 5321 4.5.3.1.3).
[[nodiscard]] bool is_mailbox(std::string_view text);

}  // namespace app
