#include "src/app/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/log.h"
#include "src/base/text.h"

namespace app {
namespace {

// More would only cost libevent a table.
constexpr rlim_t kMostFiles = 262'144;

}  // namespace

base::Result<void> drop_privileges(const Config& config) {
  if (config.user.empty()) {
    if (::geteuid() == 0) {
      base::log_warning("running as root: set user in the configuration to give that up");
    }
    return {};
  }
  const passwd* account = ::getpwnam(config.user.c_str());
  if (account == nullptr) return base::Error{fmt::format("user: there is no user {}", config.user)};
  const uid_t uid = account->pw_uid;
  gid_t gid = account->pw_gid;
  if (!config.group.empty()) {
    const ::group* entry = ::getgrnam(config.group.c_str());
    if (entry == nullptr) {
      return base::Error{fmt::format("group: there is no group {}", config.group)};
    }
    gid = entry->gr_gid;
  }
  if (uid == ::geteuid() && uid == ::getuid() && gid == ::getegid()) return {};
  if (::initgroups(config.user.c_str(), gid) != 0 || ::setresgid(gid, gid, gid) != 0 ||
      ::setresuid(uid, uid, uid) != 0) {
    return base::Error{
        fmt::format("user: cannot become {}: {}", config.user, std::strerror(errno))};
  }
  if (uid != 0 && ::setuid(0) == 0) {
    return base::Error{fmt::format("user: root could be had back after becoming {}", config.user)};
  }
  return {};
}

std::optional<std::uint32_t> find_uid(const std::string& user) {
  if (user.empty()) return std::nullopt;
  if (const auto number = base::parse_number<std::uint32_t>(user)) return number;
  const passwd* account = ::getpwnam(user.c_str());
  if (account == nullptr) return std::nullopt;
  return account->pw_uid;
}

void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kMostFiles));
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace app
