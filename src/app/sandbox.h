// What a role may ask of the kernel once it serves: a list of system calls, all others fail with
// EPERM and are seen in tests as failures. Not in sanitizer builds, whose runtime needs more.
#pragma once

#include "src/app/role.h"

namespace app {

// From here on for ever. Where the kernel has no seccomp the role goes on without, and says so.
void enter_sandbox(Role role);

}  // namespace app
