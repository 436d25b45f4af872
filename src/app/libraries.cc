#include "src/app/libraries.h"

#include <fmt/format.h>
#include <seccomp.h>

#include <array>
#include <charconv>

#include "src/net/library_versions.h"
#include "src/net/loop.h"
#include "src/store/policy_db.h"

namespace app {
namespace {

std::string seccomp_version_text() {
  const scmp_version* version = ::seccomp_version();
  if (version == nullptr) return "unknown";
  return fmt::format("{}.{}.{}", version->major, version->minor, version->micro);
}

// The first three numbers; what has none counts as 0.
std::array<unsigned, 3> numbers_of(std::string_view version) {
  std::array<unsigned, 3> numbers{};
  for (unsigned& number : numbers) {
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), number);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (error != std::errc{} || !version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

std::vector<Library> libraries_in_use() {
  return {{"libevent", net::library_version(), "2.1.12"},
          {"SQLite", store::library_version(), "3.40.1"},
          {"OpenSSL", net::openssl_version(), "3.0.0"},
          {"c-ares", net::c_ares_version(), "1.18.1"},
          {"libseccomp", seccomp_version_text(), "2.5.4"}};
}

std::string list(std::span<const Library> libraries) {
  std::string text;
  for (const Library& library : libraries) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", library.name, library.version);
  }
  return text;
}

std::vector<std::string> find_old(std::span<const Library> libraries) {
  std::vector<std::string> found;
  for (const Library& library : libraries) {
    if (numbers_of(library.version) >= numbers_of(library.oldest)) continue;
    found.push_back(
        fmt::format("{} {} is older than {}: upgrade it; nobody has tried tlspolicyd with it",
                    library.name, library.version, library.oldest));
  }
  return found;
}

}  // namespace app
