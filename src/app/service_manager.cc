#include "src/app/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "src/base/text.h"
#include "src/net/address.h"

namespace app {
namespace {

constexpr int kFirstPassed = 3;
constexpr int kMostPassed = 64;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

bool is_for_this_process(const std::string& pid) {
  return pid.empty() || base::parse_number<pid_t>(pid) == ::getpid();
}

}  // namespace

ServiceManager::ServiceManager() : socket_(take_variable("NOTIFY_SOCKET")) {
  const std::string period = take_variable("WATCHDOG_USEC");
  const std::string pid = take_variable("WATCHDOG_PID");
  const auto microseconds = base::parse_number<std::int64_t>(period);
  if (microseconds && is_for_this_process(pid)) {
    watchdog_period_ = std::chrono::microseconds(*microseconds);
  }
}

void ServiceManager::ready(std::string_view status) {
  send(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::reloading() {
  // Type=notify-reload wants to know since when.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

void ServiceManager::status(std::string_view line) {
  send(fmt::format("STATUS={}", line));
}
void ServiceManager::stopping() {
  send("STOPPING=1");
}
void ServiceManager::watchdog() {
  send("WATCHDOG=1");
}

void ServiceManager::send(const std::string& message) {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // A manager that does not listen changes nothing for Postfix.
  [[maybe_unused]] const auto sent =
      ::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               static_cast<const sockaddr*>(static_cast<const void*>(&address)), length);
}

std::vector<PassedSocket> take_passed_sockets() {
  const std::string count_text = take_variable("LISTEN_FDS");
  const std::string pid = take_variable("LISTEN_PID");
  const std::string names_text = take_variable("LISTEN_FDNAMES");
  std::vector<PassedSocket> passed;
  const auto count = base::parse_number<int>(count_text);
  if (!count || *count > kMostPassed || !is_for_this_process(pid)) return passed;
  const auto names = base::split(names_text, ":");
  for (int i = 0; i < *count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    net::adopt_listener(kFirstPassed + i);
    passed.push_back({base::UniqueFd(kFirstPassed + i),
                      index < names.size() ? std::string(names[index]) : std::string()});
  }
  return passed;
}

}  // namespace app
