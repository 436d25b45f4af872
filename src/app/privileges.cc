#include "src/app/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void give_up_capabilities(bool opens_files) {
  constexpr unsigned kLast = 63;  // more than any kernel knows; unknown ones are refused
  const auto bit = [](unsigned capability) { return std::uint64_t{1} << capability; };
  const std::uint64_t kept = opens_files ? bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) |
                                               bit(CAP_DAC_READ_SEARCH) | bit(CAP_FOWNER)
                                         : 0;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned capability = 0; capability <= kLast; ++capability) {
    if ((kept & bit(capability)) == 0) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{};
  if (::syscall(SYS_capget, &header, held.data()) != 0) return;
  for (unsigned i = 0; i < held.size(); ++i) {
    held.at(i).permitted &= static_cast<std::uint32_t>(kept >> (32 * i));
    held.at(i).effective = held.at(i).permitted;
    held.at(i).inheritable = 0;
  }
  // Less can always be had (capabilities(7)).
  ::syscall(SYS_capset, &header, held.data());
}

void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kMostFiles));
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace app
