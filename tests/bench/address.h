// Addresses as tlspolicyd's config writes them, "unix:/path" and "inet:127.0.0.1:8460", for the two
// programs of the benchmark. Independent of src/ on purpose: the yardstick shares no code with what
// it measures.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] bool is_unix() const { return storage.ss_family == AF_UNIX; }
  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);  // what the socket calls ask for
  }
};

std::optional<Address> parse_address(std::string_view text);

// A connected socket, or -1 with errno set.
int connect_to(const Address& address);
// A non-blocking listening socket (an old unix socket of that name goes), or -1 with errno set.
int listen_on(const Address& address);

}  // namespace bench
