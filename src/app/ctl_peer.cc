#include "src/app/ctl_peer.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "src/base/socket_address.h"

namespace app::ctl {
namespace {

std::optional<base::SocketAddress> address_of(const Listen& where) {
  return where.kind == Listen::Kind::Unix ? base::unix_address(where.path)
                                          : base::inet_address(where.host, where.port);
}

// A time limit on a socket shows as EAGAIN, on a connect as EINPROGRESS (socket(7), SO_SNDTIMEO).
base::Error name_failure(int error) {
  if (error == EAGAIN || error == EINPROGRESS) return base::Error{"no answer in time"};
  return base::Error{std::strerror(error)};
}

}  // namespace

base::Result<Peer> Peer::connect(const Listen& where, std::chrono::milliseconds patience) {
  const auto address = address_of(where);
  if (!address) return base::Error{"it is no address of a socket"};
  base::UniqueFd fd(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return name_failure(errno);
  Peer peer(std::move(fd), base::SystemClock().steady() + patience);
  peer.allow_remaining_time(SO_SNDTIMEO);
  if (::connect(peer.fd_.get(), address->raw(), address->length) != 0) {
    return name_failure(errno);
  }
  return peer;
}

bool Peer::allow_remaining_time(int option) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
      deadline_ - base::SystemClock().steady());
  if (left.count() <= 0) return false;
  timeval limit{};
  limit.tv_sec = left.count() / 1'000'000;
  limit.tv_usec = left.count() % 1'000'000;
  return ::setsockopt(fd_.get(), SOL_SOCKET, option, &limit, sizeof(limit)) == 0;
}

base::Result<void> Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!allow_remaining_time(SO_SNDTIMEO)) return name_failure(EAGAIN);
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return name_failure(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

base::Result<bool> Peer::receive(std::string& into) {
  std::array<char, 4096> chunk{};
  for (;;) {
    if (!allow_remaining_time(SO_RCVTIMEO)) return name_failure(EAGAIN);
    const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return name_failure(errno);
    into.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
}

Listen unix_socket(const std::string& path) {
  return {Listen::Kind::Unix, "unix:" + path, {}, 0, path};
}

}  // namespace app::ctl
