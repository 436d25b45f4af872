// The port that a next-hop names: "[host]:587", "example.com:submission"; 25 where it names none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace model {

inline constexpr std::uint16_t kSmtpPort = 25;

// Service names as /etc/services has them for SMTP; nothing where the port is neither a number nor
// one of these.
std::optional<std::uint16_t> smtp_port_of(std::string_view next_hop);

}  // namespace model
