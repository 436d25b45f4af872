// Connects to a server as a service of Postfix would: as its user, from inside its chroot.
#pragma once

#include <string>

#include "src/app/doctor_host.h"

namespace app::doctor {

struct Way {
  std::string queue_directory;  // where the service stands; its root in a chroot
  bool is_chrooted = false;
  std::string user;  // mail_owner
  tlsmap::Endpoint endpoint;
};

// Forks a child that leaves root behind for good, so the caller must have one thread. Without root
// nothing is tried, and the text says so. Takes three seconds at most.
Reach try_to_reach(const Way& way);

}  // namespace app::doctor
