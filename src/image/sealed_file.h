// Images on their way between processes and disk: sealed memfds, and the last-known-good file.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "src/base/handle.h"
#include "src/base/result.h"

namespace image {

// A sealed memfd of these parts, one behind the other. `name` is what /proc shows of it.
base::Result<base::UniqueFd> seal(const char* name, std::initializer_list<std::string_view> parts);

// Copies a regular file of at most kLargestImage bytes into a sealed memfd; content isn't looked
// at.
base::Result<base::UniqueFd> load_sealed(const std::string& path);

// True where `fd` carries all of F_SEAL_WRITE, SHRINK, GROW and SEAL.
bool is_sealed(int fd);

// All bytes of a sealed memfd; empty where it is none, can't be read, or has more than `most`.
std::string read_sealed(int fd, std::size_t most);

// What a power cut may take of a file that was saved: nothing, or all of it, so that it is for what
// can be had anew and can be checked.
enum class Durability { Synced, Cached };

// Writes the bytes of `fd` to `path` with mode 0640: `path`.new, fsync, rename, fsync of the
// folder; the two fsync only where Synced. An error leaves what was at `path`, and nothing beside
// it.
base::Result<void> save_atomically(int fd, const std::string& path,
                                   Durability durability = Durability::Synced);

}  // namespace image
