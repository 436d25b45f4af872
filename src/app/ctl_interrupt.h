// Ctrl-C and SIGTERM for a verb that goes on by itself: they end it between two steps, never inside
// a line.
#pragma once

#include <chrono>
#include <csignal>

namespace app::ctl {

class Interrupt {
 public:
  Interrupt() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals_, nullptr);
  }
  // Pauses; true where it is time to end.
  [[nodiscard]] bool pause(std::chrono::milliseconds time) const {
    const timespec pause{time.count() / 1'000, time.count() % 1'000 * 1'000'000};
    return ::sigtimedwait(&signals_, nullptr, &pause) > 0;
  }

 private:
  sigset_t signals_{};
};

}  // namespace app::ctl
