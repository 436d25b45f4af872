#include "src/net/address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/base/socket_address.h"

namespace net {
namespace {

using base::SocketAddress;

SocketAddress local_address(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (::getsockname(fd, address.raw(), &address.length) != 0) address.length = 0;
  return address;
}

base::Error failure(const std::string& what) {
  return base::Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

base::UniqueFd unix_socket(int type) {
  return base::UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Somebody who serves `path` can be connected to; a leftover of a dead process refuses.
bool is_served(const SocketAddress& address, int type) {
  const base::UniqueFd probe = unix_socket(type);
  return ::connect(probe.get(), address.raw(), address.length) == 0 || errno == EAGAIN;
}

base::Result<void> clear_stale_file(const std::string& path, const SocketAddress& address,
                                    int type) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) return {};
  if (!S_ISSOCK(file.st_mode)) {
    return base::Error{fmt::format("unix:{}: something that isn't a socket is in the way", path)};
  }
  if (is_served(address, type)) {
    return base::Error{
        fmt::format("unix:{}: another process serves it; stop that one first", path)};
  }
  if (::unlink(path.c_str()) != 0) {
    return failure(fmt::format("unix:{}: the stale socket cannot be removed", path));
  }
  return {};
}

base::Result<base::UniqueFd> bind_unix(const std::string& path, const SocketFile& file, int type) {
  const auto known = base::unix_address(path);
  if (!known) return base::Error{fmt::format("unix:{}: the path is too long for a socket", path)};
  const SocketAddress& address = *known;
  if (auto cleared = clear_stale_file(path, address, type); !cleared) {
    return base::Error{cleared.error()};
  }
  base::UniqueFd fd = unix_socket(type);
  // On Linux bind(2) takes the mode of the new file from the socket, less the umask: the file is
  // never there with wider permissions than asked for.
  ::fchmod(fd.get(), file.mode);
  const mode_t umask_before = ::umask(0);
  const int bound = ::bind(fd.get(), address.raw(), address.length);
  const int bind_error = errno;
  ::umask(umask_before);
  if (bound != 0) {
    errno = bind_error;
    return failure(fmt::format("unix:{}: cannot bind", path));
  }
  if ((file.owner >= 0 || file.group >= 0) &&
      ::chown(path.c_str(), static_cast<uid_t>(file.owner), static_cast<gid_t>(file.group)) != 0) {
    return failure(fmt::format("unix:{}: owner and group cannot be set", path));
  }
  return fd;
}

}  // namespace

base::Result<base::UniqueFd> listen_inet(const std::string& host, std::uint16_t port) {
  const std::string name = fmt::format("inet:{}:{}", host, port);
  const auto known = base::inet_address(host, port);
  if (!known) return base::Error{name + ": that is no IP address"};
  const SocketAddress& address = *known;
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(fd.get(), address.raw(), address.length) != 0) return failure(name + ": cannot bind");
  if (::listen(fd.get(), SOMAXCONN) != 0) return failure(name + ": cannot listen");
  return fd;
}

base::Result<base::UniqueFd> listen_unix(const std::string& path, const SocketFile& file) {
  auto fd = bind_unix(path, file, SOCK_STREAM);
  if (fd && ::listen(fd->get(), SOMAXCONN) != 0) {
    return failure(fmt::format("unix:{}: cannot listen", path));
  }
  return fd;
}

base::Result<base::UniqueFd> bind_datagrams(const std::string& path, const SocketFile& file) {
  auto fd = bind_unix(path, file, SOCK_DGRAM);
  const int on = 1;
  if (fd && ::setsockopt(fd->get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return failure(fmt::format("unix:{}: the kernel does not name senders", path));
  }
  return fd;
}

bool is_left_by_ended_process(const std::string& path) {
  const auto address = base::unix_address(path);
  const base::UniqueFd probe = unix_socket(SOCK_STREAM);
  if (!address || ::connect(probe.get(), address->raw(), address->length) != 0) return false;
  // unix(7): of a listener these are the credentials of who called listen(2). 0 is a process that
  // can't be seen from here.
  ucred maker{};
  socklen_t length = sizeof maker;
  if (::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &maker, &length) != 0 || maker.pid == 0) {
    return false;
  }
  const base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, maker.pid, 0)));
  if (!process) return errno == ESRCH;
  // Readable also of one that has ended and that nobody has waited for.
  pollfd ended{process.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) == 1;
}

bool is_bound_to_inet(int fd, const std::string& host, std::uint16_t port) {
  const auto wanted = base::inet_address(host, port);
  const SocketAddress bound = local_address(fd);
  if (!wanted || bound.length == 0 || bound.family() != wanted->family()) return false;
  if (wanted->family() == AF_INET6) {
    const auto a = wanted->as<sockaddr_in6>();
    const auto b = bound.as<sockaddr_in6>();
    return a.sin6_port == b.sin6_port &&
           std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
  }
  const auto a = wanted->as<sockaddr_in>();
  const auto b = bound.as<sockaddr_in>();
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

bool is_bound_to_unix(int fd, const std::string& path) {
  const SocketAddress bound = local_address(fd);
  if (bound.length == 0 || bound.family() != AF_UNIX) return false;
  const auto local = bound.as<sockaddr_un>();
  return path ==
         std::string(&local.sun_path[0], ::strnlen(&local.sun_path[0], sizeof local.sun_path));
}

bool is_bound_to_this_host(int fd) {
  const SocketAddress bound = local_address(fd);
  if (bound.length == 0) return false;
  if (bound.family() == AF_UNIX) return true;
  if (bound.family() == AF_INET6) {
    const auto inet6 = bound.as<sockaddr_in6>();
    return std::memcmp(&inet6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
  }
  constexpr std::uint32_t kLoopbackNet = 127;
  return bound.family() == AF_INET &&
         ntohl(bound.as<sockaddr_in>().sin_addr.s_addr) >> 24U == kLoopbackNet;
}

std::string find_listener_fault(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) != 0) return "it is not a socket";
  if (value != SOCK_STREAM) return "it is not a stream socket";
  length = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) != 0 || value == 0) {
    return "it does not listen";
  }
  return {};
}

void adopt_listener(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace net
