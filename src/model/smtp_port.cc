#include "src/model/smtp_port.h"

#include "src/base/text.h"

namespace model {

std::optional<std::uint16_t> smtp_port_of(std::string_view next_hop) {
  const auto host_end = next_hop.starts_with('[') ? next_hop.find(']') : 0;
  const auto colon = next_hop.find(':', host_end == next_hop.npos ? 0 : host_end);
  if (colon == next_hop.npos) return kSmtpPort;
  const auto port = next_hop.substr(colon + 1);
  if (port == "smtp") return kSmtpPort;
  if (port == "submission") return 587;
  const auto number = base::parse_number<std::uint16_t>(port);
  return number && *number > 0 ? number : std::nullopt;
}

}  // namespace model
