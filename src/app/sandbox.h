// What a role may ask of the kernel once it serves: a list of system calls, all others fail with
// EPERM and are seen in tests as failures; and the files that it may open (landlock.h). Not in
// sanitizer builds, whose runtime needs more.
#pragma once

#include <span>

#include "src/app/landlock.h"
#include "src/app/role.h"

namespace app {

// From here on for ever, with no file to open but by these ways. Where the kernel has no seccomp or
// no Landlock the role goes on without, and says so.
void enter_sandbox(Role role, std::span<const Way> ways = {});

}  // namespace app
