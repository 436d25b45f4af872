// What a row that is not enforced would have asked of a delivery: the row's own mode is observe, or
// the daemon's. Data only.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "src/model/level.h"

namespace model {

struct Asked {
  std::string row;             // its destination
  std::string profile;         // empty where the row names none that can be used
  std::optional<Level> level;  // none: the row is at fault, and Postfix would be told TEMP
  Fallback fallback = Fallback::Never;
  auto operator<=>(const Asked&) const = default;
};

}  // namespace model
