#include "tests/bench/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace bench {
namespace {

std::optional<Address> parse_unix(std::string_view path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) return std::nullopt;
  std::memcpy(name.sun_path, path.data(), path.size());
  Address address;
  address.length = sizeof name;
  std::memcpy(&address.storage, &name, sizeof name);
  return address;
}

std::optional<Address> parse_inet(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string host(text.substr(0, colon));
  const auto digits = text.substr(colon + 1);
  in_port_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      ::inet_pton(AF_INET, host.c_str(), &name.sin_addr) != 1) {
    return std::nullopt;
  }
  Address address;
  address.length = sizeof name;
  std::memcpy(&address.storage, &name, sizeof name);
  return address;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  if (text.starts_with("inet:")) return parse_inet(text.substr(5));
  return std::nullopt;
}

int connect_to(const Address& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::connect(fd, address.get(), address.length) != 0) {
    ::close(fd);
    return -1;
  }
  const int on = 1;
  if (!address.is_unix()) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int listen_on(const Address& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int on = 1;
  if (address.is_unix()) {
    sockaddr_un name{};
    std::memcpy(&name, &address.storage, sizeof name);
    ::unlink(name.sun_path);
  } else {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (::bind(fd, address.get(), address.length) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace bench
