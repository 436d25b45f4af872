// A child process of the parent: how it is made and how its end reads.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/app/role.h"

namespace app {

// Executes this program again as `role`, with `channel` as its descriptor kParentChannel and
// nothing else but the standard three. The new pid, or -1.
pid_t spawn_role(Role role, int channel);

// "was killed by signal 9", "ended with status 1": a status of waitpid(2).
std::string describe_end(int status);

// First thing in a role: shows its name in comm, dies with the parent, leaves stopping to the
// parent.
void become_role(Role role);

}  // namespace app
