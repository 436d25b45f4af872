// The domains whose mail comes in here, by the configuration of the Postfix on this host. Pure.
#pragma once

#include <string>
#include <vector>

#include "src/app/doctor_host.h"

namespace app::doctor {

struct OwnDomains {
  std::vector<std::string> names;   // none twice, in the order in which they stand
  std::vector<std::string> unread;  // "relay_domains: hash:/etc/postfix/relay": tables and files
};

// Of mydestination, virtual_mailbox_domains, virtual_alias_domains and relay_domains of all
// instances: what stands there as a name. A name without a dot, or of localhost, gets no mail from
// outside.
OwnDomains find_own_domains(const PostfixHost& host);

}  // namespace app::doctor
