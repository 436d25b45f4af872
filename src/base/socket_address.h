// An address as the socket calls want it, made from a path or from the text of an IP address. Asks
// nobody: a name is no address.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace base {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* raw() const {
    return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
  }
  [[nodiscard]] sockaddr* raw() { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
  // As one of the sockaddr_... types; which one, family() says.
  template <class Typed>
  [[nodiscard]] Typed as() const {
    Typed typed{};
    std::memcpy(&typed, &storage, sizeof typed);
    return typed;
  }
};

// Nothing where the path is too long for the kernel (unix(7): 107 bytes).
std::optional<SocketAddress> unix_address(const std::string& path);
// Nothing where `host` is no IPv4 or IPv6 address.
std::optional<SocketAddress> inet_address(const std::string& host, std::uint16_t port);

}  // namespace base
