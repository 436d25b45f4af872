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

// Neither this process nor its children leave memory on a disk when they crash.
void forbid_core_dumps();

// For a role that nobody gave a user: root without root's rights. With `opens_files` those over
// files of others stay, which root expects to have; nothing else does.
void give_up_capabilities(bool opens_files);

// As many open files as the hard limit allows: each smtp(8) process holds a connection.
void raise_file_limit();

}  // namespace app
