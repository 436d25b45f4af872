// Giving up root once the sockets are bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/app/config.h"
#include "src/base/result.h"

namespace app {

// Becomes config.user and config.group for good, with the user's supplementary groups. Without a
// user nothing changes. Anything but complete success is an error: half-dropped rights are worse
// than none.
base::Result<void> drop_privileges(const Config& config);

// The uid of a user given by name or number; nothing where there is none, or no name.
std::optional<std::uint32_t> find_uid(const std::string& user);

// As many open files as the hard limit allows: each smtp(8) process holds a connection.
void raise_file_limit();

}  // namespace app
