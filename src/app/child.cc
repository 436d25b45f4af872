#include "src/app/child.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace app {
namespace {

std::string full_name(Role role) {
  return std::string(kRolePrefix) + std::string(to_word(role));
}

}  // namespace

std::string_view to_word(Role role) {
  switch (role) {
    case Role::Answer:
      return "answer";
    case Role::Store:
      return "store";
    case Role::Ingest:
      return "ingest";
    case Role::Net:
      return "net";
    case Role::Http:
      return "http";
  }
  return "";
}

std::optional<Role> parse_role(std::string_view argv0) {
  for (const Role role : {Role::Answer, Role::Store, Role::Ingest, Role::Net, Role::Http}) {
    if (argv0 == full_name(role)) return role;
  }
  return std::nullopt;
}

pid_t spawn_role(Role role, int channel) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, channel, kParentChannel);
  std::string name = full_name(role);
  std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t pid = -1;
  // The link to the running file, not its path: a package upgrade under way changes nothing.
  const int error =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

void become_role(Role role) {
  ::prctl(PR_SET_NAME, full_name(role).c_str());
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // A terminal's Ctrl-C and a service manager's SIGTERM reach every process of ours; the parent
  // alone decides in which order they end.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace app
