// Whom a rule of `inbound` means by its client: an address, a network, a verified host name or all
// names below a suffix. Pure text work; which of several rules wins is decided in engine/.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace model {

// 16 bytes in network order; an IPv4 address as ::ffff:a.b.c.d, so that one trie has both, and a
// client that Postfix shows as an IPv4-mapped address matches like the plain one.
using AddressBytes = std::array<std::uint8_t, 16>;
inline constexpr unsigned kIpv4Bits = 96;  // what stands before the address proper

struct Network {
  AddressBytes address{};
  unsigned prefix = 128;  // of the 128 bits
  bool operator==(const Network&) const = default;
};

// True for the mapped form.
[[nodiscard]] bool is_ipv4(const AddressBytes& address);

// As Postfix writes client_address: "192.0.2.1", "2001:db8::1".
std::optional<AddressBytes> parse_address(std::string_view text);
// The same with the network size: "192.0.2.0/24"; nothing where host bits are set.
std::optional<Network> parse_network(std::string_view text);
// What "192.0.2.1/24" was meant for: the network without the host bits. Nothing where the address
// or the size is none.
std::optional<Network> parse_network_loosely(std::string_view text);
// "192.0.2.0/24"; without the size where it is a single address.
std::string to_text(const Network& network);

// 192.0.2.0/24, 2001:db8:1::/48: whom a client belongs to, roughly.
Network client_network_of(const AddressBytes& address);
// As text; empty where the address is none.
std::string client_network_of(std::string_view address);

struct ClientMatch {
  enum class Kind : std::uint8_t { Network, Name, Suffix };
  Kind kind = Kind::Name;
  Network network;
  std::string name;  // in lower case; of a Suffix what stands behind "*."
};

// "192.0.2.0/24", "mx.example.com", "*.example.com"; the error says what is allowed.
base::Result<ClientMatch> parse_client(std::string_view written);
// In normal form.
std::string to_text(const ClientMatch& client);

}  // namespace model
