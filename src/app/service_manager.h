// What systemd asks of a service: sd_notify(3) and sd_listen_fds(3), without its library.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/handle.h"

namespace app {

// Speaks to NOTIFY_SOCKET; does nothing where there is none. Takes its variables out of the
// environment, so that no role speaks for the service.
class ServiceManager {
 public:
  ServiceManager();
  void ready(std::string_view status);
  void reloading();
  void status(std::string_view line);
  void stopping();
  void watchdog();
  // How often a sign of life is due; zero where nobody asks.
  [[nodiscard]] std::chrono::microseconds watchdog_period() const { return watchdog_period_; }

 private:
  void send(const std::string& message);
  std::string socket_;
  std::chrono::microseconds watchdog_period_{0};
};

// A socket that a holder passed to this process (LISTEN_FDS, from descriptor 3 on).
struct PassedSocket {
  base::UniqueFd fd;
  std::string name;  // of LISTEN_FDNAMES, or empty
};

// Takes them, and their variables out of the environment. Empty where LISTEN_PID names another
// process.
std::vector<PassedSocket> take_passed_sockets();

}  // namespace app
