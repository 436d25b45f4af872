// Images on their way between processes and disk: sealed memfds, and the last-known-good file.
#pragma once

#include <string>

#include "src/base/handle.h"
#include "src/base/result.h"

namespace image {

// Copies a regular file of at most kLargestImage bytes into a sealed memfd; content isn't looked at.
base::Result<base::UniqueFd> load_sealed(const std::string& path);

// True where `fd` carries all of F_SEAL_WRITE, SHRINK, GROW and SEAL.
bool is_sealed(int fd);

// Writes the bytes of `fd` to `path`: a temporary file beside it, fsync, rename, fsync of the folder.
base::Result<void> save_atomically(int fd, const std::string& path);

}  // namespace image
