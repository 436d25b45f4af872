#include "src/app/doctor_reach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "src/base/handle.h"
#include "src/base/socket_address.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

constexpr int kConnectPatienceMs = 2000;
constexpr int kChildPatienceMs = 3000;

std::optional<base::SocketAddress> address_of(const tlsmap::Endpoint& endpoint) {
  if (endpoint.is_unix) return base::unix_address(endpoint.path);
  const auto port = base::parse_number<std::uint16_t>(endpoint.port);
  return port ? base::inet_address(endpoint.host, *port) : std::nullopt;
}

// As Postfix does it (util/unix_connect.c): non-blocking, so that a full backlog is an error. Gives
// errno, 0 for success.
int connect_once(const base::SocketAddress& address) {
  const base::UniqueFd fd(
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (::connect(fd.get(), address.raw(), address.length) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd polled{fd.get(), POLLOUT, 0};
  if (::poll(&polled, 1, kConnectPatienceMs) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

struct Report {
  bool has_connected_or_failed = false;  // false: it never came to a connect()
  int error = 0;
};

// In the child. The order is master(8)'s: groups while there is a group file, then the chroot.
Report become_and_connect(const Way& way, const passwd& user, const base::SocketAddress& address) {
  if (::initgroups(user.pw_name, user.pw_gid) != 0 || ::chdir(way.queue_directory.c_str()) != 0) {
    return {false, errno};
  }
  if (way.is_chrooted && ::chroot(".") != 0) return {false, errno};
  if (::setgid(user.pw_gid) != 0 || ::setuid(user.pw_uid) != 0) return {false, errno};
  return {true, connect_once(address)};
}

Reach not_tried(std::string why) {
  return {Reach::Outcome::NotTried, 0, std::move(why)};
}

Reach judge(const Way& way, const Report& report) {
  const auto where = way.is_chrooted ? "from inside the chroot " + way.queue_directory
                                     : std::string("without a chroot");
  if (!report.has_connected_or_failed) {
    return not_tried(fmt::format("becoming user {} {} failed: {}", way.user, where,
                                 std::strerror(report.error)));
  }
  if (report.error == 0) {
    return {Reach::Outcome::Connected, 0, fmt::format("user {} connects {}", way.user, where)};
  }
  return {Reach::Outcome::Failed, report.error, std::strerror(report.error)};
}

}  // namespace

Reach try_to_reach(const Way& way) {
  if (::geteuid() != 0) {
    return not_tried(fmt::format("only root can become user {}; run doctor as root", way.user));
  }
  const auto address = address_of(way.endpoint);
  if (!address) return not_tried("it is a name, not an address; a chroot may have no resolver");
  const passwd* user = ::getpwnam(way.user.c_str());
  if (user == nullptr || user->pw_uid == 0) {
    return not_tried(fmt::format("there is no unprivileged user {}", way.user));
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return not_tried(std::strerror(errno));
  const base::UniqueFd read_end(ends[0]);
  base::UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return not_tried(std::strerror(errno));
  if (child == 0) {
    const Report report = become_and_connect(way, *user, *address);
    ::_exit(::write(write_end.get(), &report, sizeof(report)) == sizeof(report) ? 0 : 1);
  }
  write_end.reset();
  pollfd polled{read_end.get(), POLLIN, 0};
  Report report;
  const bool has_reported = ::poll(&polled, 1, kChildPatienceMs) > 0 &&
                            ::read(read_end.get(), &report, sizeof(report)) == sizeof(report);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return has_reported ? judge(way, report) : not_tried("the attempt did not come to an end");
}

}  // namespace app::doctor
