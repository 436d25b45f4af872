// What a Postfix table written by `export` can hold.
#pragma once

#include "src/model/postfix_version.h"

namespace app::ctl {

// The Postfix that a table is written for: of a version without a patch level the last of its
// releases, because the first ones had faults of which nobody is left to suffer [F 2.4].
[[nodiscard]] constexpr model::PostfixVersion table_version(model::PostfixVersion version) {
  constexpr unsigned kLastPatch = 99;
  if (version.patch == 0) version.patch = kLastPatch;
  return version;
}

}  // namespace app::ctl
