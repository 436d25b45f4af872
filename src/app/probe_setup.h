// What probes need of this host: our own name, and whom to ask for names. Reads files, so a role
// calls it before its sandbox closes.
#pragma once

#include <string>

#include "src/app/config.h"
#include "src/base/result.h"
#include "src/wire/resolver_choice.h"

namespace app {

// Our own name, where it is one that a server may look up; else empty, and the prober says its
// address.
std::string find_ehlo_name();

// As configured, else as /etc/resolv.conf says.
base::Result<wire::ResolverChoice> choose_resolver(const Config& config);

}  // namespace app
