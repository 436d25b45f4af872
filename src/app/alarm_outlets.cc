#include "src/app/alarm_outlets.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "src/app/child.h"
#include "src/base/handle.h"
#include "src/base/log.h"

namespace app {
namespace {

constexpr int kFarewellMs = 2'000;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// Whoever stops us kills what we leave behind.
void wait_for(pid_t pid) {
  const base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{process.get(), POLLIN, 0};
  if (process) ::poll(&ended, 1, kFarewellMs);
}

}  // namespace

AlarmOutlets::AlarmOutlets(net::Loop& loop, const Config& config)
    : config_(config), due_(loop, [this] { mail(); }) {}

void AlarmOutlets::tell(const wire::AlarmMessage& alarm) {
  const auto now = clock_.now();
  command_.run(config_.alarm_command, alarm, now.time_since_epoch().count());
  if (config_.alarm_mail.empty()) return;
  gathering_.add(alarm, now);
  if (!due_.is_running()) mail();
}

void AlarmOutlets::mail() {
  const auto due = gathering_.due();
  if (!due) return;
  const auto now = clock_.steady();
  if (*due > now) {
    // A timer that is early by less than its own grain is started once more.
    due_.start(std::chrono::ceil<std::chrono::milliseconds>(*due - now));
    return;
  }
  // Whoever switched it off meanwhile wants none of what waited either.
  const auto message = gathering_.take(config_.alarm_mail, host_name(), now);
  if (!message || config_.alarm_mail.empty()) return;
  if (const auto pid = start_sendmail(config_.sendmail_command, *message)) mailers_.insert(*pid);
}

void AlarmOutlets::on_exit(pid_t pid, int status) {
  command_.on_exit(pid, status);
  if (mailers_.erase(pid) == 0 || status == 0) return;
  base::log_error(
      "alarm_mail: {} {}; no mail went out. Under NoNewPrivileges= of systemd a sendmail "
      "that needs its set-gid bit, as Postfix's does, can't queue any",
      config_.sendmail_command, describe_end(status));
}

void AlarmOutlets::flush() {
  const auto due = gathering_.due();
  if (!due || config_.alarm_mail.empty()) return;
  const auto message =
      gathering_.take(config_.alarm_mail, host_name(), std::max(*due, clock_.steady()));
  if (!message) return;
  if (const auto pid = start_sendmail(config_.sendmail_command, *message)) wait_for(*pid);
}

}  // namespace app
