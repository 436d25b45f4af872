// The NAME of a socketmap request: which table, for which Postfix, in which view (DESIGN section
// 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/model/postfix_version.h"

namespace tlsmap {

enum class Table : std::uint8_t { Policy, Strict, Outcome, Transport, SenderTransport };

struct MapName {
  Table table = Table::Policy;
  std::optional<model::PostfixVersion> version;  // absent: the configured one
  std::string_view view;                         // points into the input
};

inline constexpr std::size_t kLongestView = 64;

// Nothing for a name that isn't ours: the caller answers PERM.
std::optional<MapName> parse_map_name(std::string_view name);

}  // namespace tlsmap
