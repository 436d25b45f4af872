#include "src/app/sandbox.h"

#include <seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "src/app/privileges.h"
#include "src/base/handle.h"
#include "src/base/log.h"

namespace app {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitizerBuild = true;
#else
constexpr bool kIsSanitizerBuild = false;
#endif

// All roles, and `answer` and `http` nothing else: the loop, the channels, memory, time, the log,
// the end.
constexpr const char* kLoopCalls[] = {
    "epoll_wait",    "epoll_pwait",     "epoll_pwait2", "epoll_ctl",
    "clock_gettime", "gettimeofday",    "read",         "write",
    "close",         "fcntl",           "lseek",        "accept4",
    "recvfrom",      "recvmsg",         "sendto",       "sendmsg",
    "getsockopt",    "setsockopt",      "mmap",         "munmap",
    "mremap",        "mprotect",        "madvise",      "brk",
    "futex",         "getpid",          "getppid",      "gettid",
    "rt_sigreturn",  "rt_sigaction",    "pread64",      "rt_sigprocmask",
    "tgkill",        "restart_syscall", "exit",         "exit_group"};

// `store`: SQLite, the image file, memfds. No socket is ever made, nothing is executed.
constexpr const char* kFileCalls[] = {
    "openat",          "open",       "stat",         "lstat",       "fstat",
    "newfstatat",      "statx",      "access",       "faccessat",   "faccessat2",
    "readlink",        "readlinkat", "getcwd",       "pread64",     "pwrite64",
    "writev",          "ftruncate",  "fallocate",    "fsync",       "fdatasync",
    "rename",          "renameat",   "renameat2",    "unlink",      "unlinkat",
    "fchmod",          "fchown",     "geteuid",      "getuid",      "nanosleep",
    "clock_nanosleep", "getrandom",  "memfd_create", "dup",         "ioctl",
    "sysinfo",         "uname",      "setpriority",  "sched_yield", "copy_file_range",
    "sendfile",        "rseq",       "prlimit64",    "flock"};

// `ingest`: files that others write, the position file, the systemd journal (sd_journal(3) watches
// its directories). No socket is ever made, nothing is executed.
constexpr const char* kIngestCalls[] = {"openat",
                                        "open",
                                        "stat",
                                        "lstat",
                                        "fstat",
                                        "newfstatat",
                                        "statx",
                                        "access",
                                        "faccessat",
                                        "faccessat2",
                                        "getdents64",
                                        "readlink",
                                        "readlinkat",
                                        "rename",
                                        "renameat",
                                        "renameat2",
                                        "getrandom",
                                        "rseq",
                                        "prlimit64",
                                        "sched_yield",
                                        "inotify_init1",
                                        "inotify_init",
                                        "dup",
                                        "fstatfs",
                                        "statfs",
                                        "inotify_add_watch",
                                        "ppoll",
                                        "poll",
                                        "fadvise64",
                                        "uname",
                                        "inotify_rm_watch",
                                        "geteuid",
                                        "getuid",
                                        "set_robust_list"};

// `net`: sockets to resolvers and mail hosts. No file is ever opened, nothing is listened on,
// nothing is executed.
constexpr const char* kNetCalls[] = {"connect", "bind",     "getsockname", "getpeername",
                                     "poll",    "shutdown", "ioctl",       "getrandom",
                                     "writev",  "uname",    "rseq",        "sched_yield"};
// Of the internet alone: never the control socket, though it belongs to the same user.
constexpr int kNetFamilies[] = {AF_INET, AF_INET6};

// The thread beside which a large database is checked.
constexpr const char* kThreadCalls[] = {"clone", "clone3", "set_robust_list", "sched_getaffinity"};

void free_filter(scmp_filter_ctx filter) noexcept {
  seccomp_release(filter);
}

bool allow(scmp_filter_ctx filter, std::span<const char* const> calls) {
  for (const char* name : calls) {
    // A call that this architecture doesn't have needs no permission.
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) continue;
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0) return false;
  }
  return true;
}

bool allow_sockets(scmp_filter_ctx filter, std::span<const int> families) {
  for (const int family : families) {
    const scmp_arg_cmp is_family{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0};
    if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is_family) != 0) {
      return false;
    }
  }
  return true;
}

// Before the filter, which knows no call of it.
void restrict_files(Role role, std::span<const Way> ways) {
  switch (close_fence(ways, role == Role::Net)) {
    case Fence::Closed:
      break;
    case Fence::Absent:
      base::log_info("no Landlock in this kernel: which files may be opened is up to their modes");
      break;
    case Fence::Refused:
      base::log_warning("no Landlock: the kernel refuses the rules: {}", std::strerror(errno));
      break;
  }
}

}  // namespace

void enter_sandbox(Role role, std::span<const Way> ways) {
  if (kIsSanitizerBuild) return;
  give_up_capabilities(role == Role::Store || role == Role::Ingest);
  restrict_files(role, ways);
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  const base::Handle<void, free_filter> guard(filter);
  if (filter == nullptr || !allow(filter, kLoopCalls) ||
      (role == Role::Store && (!allow(filter, kFileCalls) || !allow(filter, kThreadCalls))) ||
      (role == Role::Ingest && !allow(filter, kIngestCalls)) ||
      (role == Role::Net && (!allow(filter, kNetCalls) || !allow_sockets(filter, kNetFamilies))) ||
      seccomp_load(filter) != 0) {
    base::log_warning("no seccomp sandbox: the kernel refuses the filter");
  }
}

}  // namespace app
