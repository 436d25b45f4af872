// Looks at the host: asks postconf, postmulti and postmap, connects as Postfix would, looks at
// files, the daemon and policy.db. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/doctor_host.h"
#include "src/base/result.h"

namespace app::doctor {

// The instances in `directories`, or those that postmulti lists. The error: no postconf, or no
// instance could be read.
base::Result<PostfixHost> read_instances(const std::vector<std::string>& directories);

// Configuration, daemon and rows. What can't be read is said in the value.
OurSide read_our_side(const ctl::Context& context);

// Everything that the checks ask of the host beyond that: see doctor_checks.h.
void gather_facts(const ctl::Context& context, PostfixHost& host, OurSide& ours);

}  // namespace app::doctor
