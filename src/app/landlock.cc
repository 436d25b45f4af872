#include "src/app/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "src/base/handle.h"

namespace app {
namespace {

// linux/landlock.h, which Debian 12 has as of Linux 6.1: without what came later.
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};
struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadFolder = 1U << 3U;
constexpr std::uint64_t kRemoveFile = 1U << 5U;
constexpr std::uint64_t kMakeFile = 1U << 8U;
constexpr std::uint64_t kTruncate = 1U << 14U;

constexpr std::uint64_t kReading = kReadFile | kReadFolder;
constexpr std::uint64_t kWriting = kReading | kWriteFile | kRemoveFile | kMakeFile | kTruncate;
// A rule for a file that isn't a folder is refused with rights that only folders have.
constexpr std::uint64_t kOfFiles = kReadFile | kWriteFile | kTruncate;

// What the kernel can forbid, by the version of its interface.
std::uint64_t file_rights(long version) {
  if (version >= 5) return (1U << 16U) - 1;
  if (version >= 3) return (1U << 15U) - 1;
  return version == 2 ? (1U << 14U) - 1 : (1U << 13U) - 1;
}

RulesetAttributes all_that(long version, bool keeps_network) {
  constexpr std::uint64_t kBindAndConnect = 3;
  constexpr std::uint64_t kAbstractSocketsAndSignals = 3;
  return {file_rights(version), version >= 4 && !keeps_network ? kBindAndConnect : 0,
          version >= 6 ? kAbstractSocketsAndSignals : 0};
}

// As much of the structure as that version knows of.
std::size_t size_for(long version) {
  if (version >= 6) return sizeof(RulesetAttributes);
  return version >= 4 ? 2 * sizeof(std::uint64_t) : sizeof(std::uint64_t);
}

bool allow(int ruleset, const Way& way, std::uint64_t known) {
  const base::UniqueFd fd(::open(way.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return true;  // not there: nothing to allow
  std::uint64_t rights = way.purpose == Way::For::Writing ? kWriting : kReading;
  if (!S_ISDIR(status.st_mode)) rights &= kOfFiles;
  const PathRule rule{rights & known, fd.get()};
  return ::syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0) == 0;
}

std::optional<Folder> identify(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return std::nullopt;
  return Folder{path, status.st_dev, status.st_ino};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Fence close_fence(std::span<const Way> ways, bool keeps_network) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (version < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? Fence::Absent : Fence::Refused;
  const RulesetAttributes forbidden = all_that(version, keeps_network);
  const base::UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &forbidden, size_for(version), 0)));
  if (!ruleset) return Fence::Refused;
  for (const Way& way : ways) {
    if (!allow(ruleset.get(), way, forbidden.files)) return Fence::Refused;
  }
  // The kernel asks for this first: a set-uid program would get more than the fence leaves.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return Fence::Refused;
  }
  return Fence::Closed;
}

std::vector<Folder> find_folders(std::span<const std::string> files) {
  std::vector<Folder> found;
  const auto add = [&](const std::string& file) {
    auto folder = identify(parent_of(file));
    if (folder && std::find(found.begin(), found.end(), *folder) == found.end()) {
      found.push_back(std::move(*folder));
    }
  };
  for (const std::string& file : files) {
    add(file);
    std::array<char, PATH_MAX> real{};
    if (::realpath(file.c_str(), real.data()) != nullptr) add(real.data());
  }
  return found;
}

}  // namespace app
