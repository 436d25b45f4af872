#include "src/base/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace base {
namespace {

template <class Typed>
SocketAddress store(const Typed& typed) {
  SocketAddress address;
  std::memcpy(&address.storage, &typed, sizeof typed);
  address.length = sizeof typed;
  return address;
}

}  // namespace

std::optional<SocketAddress> unix_address(const std::string& path) {
  sockaddr_un local{};
  if (path.size() >= sizeof local.sun_path) return std::nullopt;
  local.sun_family = AF_UNIX;
  path.copy(&local.sun_path[0], path.size());
  return store(local);
}

std::optional<SocketAddress> inet_address(const std::string& host, std::uint16_t port) {
  sockaddr_in four{};
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return store(four);
  }
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    return store(six);
  }
  return std::nullopt;
}

}  // namespace base
