// The yardstick: the least a socketmap server can do. One epoll loop reads, finds the netstrings
// and answers "OK encrypt" to each, whatever was asked; with --policy first it finds the requests
// of policy delegation and answers DUNNO. What tlspolicyd needs beyond this is its own cost.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/bench/address.h"

namespace {

constexpr std::string_view kReply = "10:OK encrypt,";
constexpr std::string_view kAction = "action=DUNNO\n\n";

// The length of the netstring at the start of `input`, with digits and comma; 0: incomplete; npos:
// bad.
std::size_t find_netstring(std::string_view input) {
  constexpr std::size_t kMostDigits = 5;
  std::size_t length = 0;
  std::size_t at = 0;
  for (; at < input.size() && input[at] != ':'; ++at) {
    if (at == kMostDigits || input[at] < '0' || input[at] > '9') return std::string_view::npos;
    length = length * 10 + static_cast<std::size_t>(input[at] - '0');
  }
  const auto whole = at + 1 + length + 1;
  if (input.size() < whole) return 0;
  return input[whole - 1] == ',' ? whole : std::string_view::npos;
}

// The same of a request that ends with an empty line.
std::size_t find_policy_request(std::string_view input) {
  const auto end = input.find("\n\n");
  return end == std::string_view::npos ? 0 : end + 2;
}

class NullResponder {
 public:
  NullResponder(std::vector<int> listeners, bool is_policy)
      : listeners_(std::move(listeners)),
        is_policy_(is_policy),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const int fd : listeners_) watch(fd);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (std::find(listeners_.begin(), listeners_.end(), fd) != listeners_.end()) {
          accept_all(fd);
        } else if (!serve(fd)) {
          ::close(fd);
          pending_.erase(fd);
        }
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all(int listener) {
    while (true) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // says no on a unix socket
      watch(fd);
    }
  }

  // False: done with this connection. A peer that leaves its replies unread is one.
  bool serve(int fd) {
    std::array<char, 65536> buffer;
    const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    std::string_view input(buffer.data(), static_cast<std::size_t>(count));
    auto rest = pending_.find(fd);
    if (rest != pending_.end()) input = rest->second.append(input);
    replies_.clear();
    std::size_t done = 0;
    while (done < input.size()) {
      const auto rest_of_input = input.substr(done);
      const auto length =
          is_policy_ ? find_policy_request(rest_of_input) : find_netstring(rest_of_input);
      if (length == std::string_view::npos) return false;
      if (length == 0) break;
      done += length;
      replies_ += is_policy_ ? kAction : kReply;
    }
    if (done < input.size()) {
      std::string left(input.substr(done));
      pending_[fd] = std::move(left);
    } else if (rest != pending_.end()) {
      pending_.erase(rest);
    }
    return ::send(fd, replies_.data(), replies_.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(replies_.size());
  }

  std::vector<int> listeners_;
  bool is_policy_;
  int epoll_;
  std::string replies_;
  std::unordered_map<int, std::string> pending_;  // unfinished requests
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> listeners;
  const bool is_policy = argc > 1 && std::string_view(argv[1]) == "--policy";
  for (int i = is_policy ? 2 : 1; i < argc; ++i) {
    const auto address = bench::parse_address(argv[i]);
    const int fd = address ? bench::listen_on(*address) : -1;
    if (fd < 0) {
      std::perror(argv[i]);
      return 1;
    }
    listeners.push_back(fd);
  }
  if (listeners.empty()) {
    std::fputs("usage: null_responder [--policy] unix:/PATH|inet:ADDRESS:PORT ...\n", stderr);
    return 2;
  }
  NullResponder(std::move(listeners), is_policy).run();
}
