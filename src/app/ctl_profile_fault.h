// Whether the daemon would publish a profile: what `profile set` refuses and `explain` reports.
#pragma once

#include <optional>
#include <string>

#include "src/model/profile.h"

namespace app::ctl {

// A contradiction within it, or an attribute that some Postfix would refuse.
std::optional<std::string> find_profile_fault(const model::Profile& profile);

}  // namespace app::ctl
