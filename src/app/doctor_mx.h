// The MX hosts of a domain, from the resolver of this host. For advice alone: nothing that is
// answered to Postfix rests on it.
#pragma once

#include <string>

#include "src/app/doctor_host.h"

namespace app::doctor {

// In order of preference; a domain without MX record is its own host (RFC 5321 5.1). Waits four
// seconds at most.
MxFact find_mx_hosts(const std::string& domain);

}  // namespace app::doctor
