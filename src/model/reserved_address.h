// Which addresses are not for the public internet: private, reserved, or another spelling of one. A
// domain's owner chooses what its MX records say, so a prober that follows them must not be led
// into the networks of the host it runs on.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/client_match.h"

namespace model {

// What the IANA special-purpose registries (RFC 6890) and RFC 4291 call it: "private use",
// "loopback". Nothing for an address that anybody may reach. What carries an IPv4 address inside
// (IPv4-mapped, 6to4, NAT64's 64:ff9b::/96) is what that one is. The few addresses for anycast
// services inside 192.0.0.0/24 and 2001::/23 count as reserved with the rest of it: no mail host is
// there.
std::optional<std::string_view> reserved_as(const AddressBytes& address);

[[nodiscard]] bool is_inside(const AddressBytes& address, const Network& network);

// Networks with blanks or commas between them, as config key probe_allow has them: "10.0.0.0/8,
// fd00::/8". The error says which is wrong and what is allowed.
base::Result<std::vector<Network>> parse_networks(std::string_view text);

// Whether a scheduled probe may connect: to whatever isn't reserved, or is inside `allowed`.
[[nodiscard]] bool may_probe(const AddressBytes& address, std::span<const Network> allowed);

}  // namespace model
