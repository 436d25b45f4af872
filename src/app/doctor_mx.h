// The MX hosts of domains, by the resolver that probes ask too. For advice alone: nothing that is
// answered to Postfix rests on it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/doctor_host.h"

namespace app::doctor {

// In order of preference; a domain without MX record is its own host (RFC 5321 5.1). All are looked
// up at once; 30 s at most.
std::map<std::string, MxFact> find_mx_hosts(const ctl::Context& context,
                                            const std::vector<std::string>& domains);

}  // namespace app::doctor
