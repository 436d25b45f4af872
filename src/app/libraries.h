// The libraries that this process runs with, beside the oldest that it was ever tried with.
// Debian's package asks for versions in which known holes are closed; which patches a version has
// doesn't show here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct Library {
  std::string_view name;
  std::string version;      // as the library itself says
  std::string_view oldest;  // that will do
};

std::vector<Library> libraries_in_use();

// "libevent 2.1.12-stable, SQLite 3.40.1"
std::string list(std::span<const Library> libraries);

// A sentence for each that is older than will do.
std::vector<std::string> find_old(std::span<const Library> libraries);

}  // namespace app
