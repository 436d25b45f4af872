#include "src/app/ctl_peer.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace app::ctl {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

template <class Sockaddr>
Address pack(const Sockaddr& address) {
  Address packed;
  std::memcpy(&packed.storage, &address, sizeof(address));
  packed.length = sizeof(address);
  return packed;
}

Address address_of(const Listen& where) {
  if (where.kind == Listen::Kind::Unix) {
    sockaddr_un unix_address{};
    unix_address.sun_family = AF_UNIX;
    where.path.copy(unix_address.sun_path, sizeof(unix_address.sun_path) - 1);
    return pack(unix_address);
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, where.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(where.port);
    return pack(v6);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(where.port);
  ::inet_pton(AF_INET, where.host.c_str(), &v4.sin_addr);
  return pack(v4);
}

// A time limit on a socket shows as EAGAIN, on a connect as EINPROGRESS (socket(7), SO_SNDTIMEO).
base::Error name_failure(int error) {
  if (error == EAGAIN || error == EINPROGRESS) return base::Error{"no answer in time"};
  return base::Error{std::strerror(error)};
}

}  // namespace

base::Result<Peer> Peer::connect(const Listen& where, std::chrono::milliseconds patience) {
  const Address address = address_of(where);
  base::UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return name_failure(errno);
  Peer peer(std::move(fd), base::SystemClock().steady() + patience);
  peer.allow_remaining_time(SO_SNDTIMEO);
  const void* raw = &address.storage;
  if (::connect(peer.fd_.get(), static_cast<const sockaddr*>(raw), address.length) != 0) {
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
