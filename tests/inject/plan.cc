#include "tests/inject/plan.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace inject {
namespace {

// EAGAIN is sensible where the descriptor does not block; a lock that somebody holds goes away
// again, and SQLite waits 10 s a transaction for one that can never be had (fcntl).
constexpr std::array kFaults{
    Fault{"new", Call::New},
    Fault{"malloc", Call::Malloc},
    Fault{"db-open.CANTOPEN", Call::DbOpen, SQLITE_CANTOPEN},
    Fault{"db-open.NOMEM", Call::DbOpen, SQLITE_NOMEM},
    Fault{"db-delete.IOERR", Call::DbDelete, SQLITE_IOERR_DELETE},
    Fault{"db-read.IOERR", Call::DbRead, SQLITE_IOERR_READ},
    Fault{"db-read.NOMEM", Call::DbRead, SQLITE_IOERR_NOMEM},
    Fault{"db-write.IOERR", Call::DbWrite, SQLITE_IOERR_WRITE},
    Fault{"db-write.FULL", Call::DbWrite, SQLITE_FULL},
    Fault{"db-truncate.IOERR", Call::DbTruncate, SQLITE_IOERR_TRUNCATE},
    Fault{"db-sync.IOERR", Call::DbSync, SQLITE_IOERR_FSYNC},
    Fault{"db-size.IOERR", Call::DbSize, SQLITE_IOERR_FSTAT},
    Fault{"db-lock.IOERR", Call::DbLock, SQLITE_IOERR_LOCK},
    Fault{"db-lock.BUSY", Call::DbLock, SQLITE_BUSY, false, false},
    Fault{"db-shm-map.IOERR", Call::DbShmMap, SQLITE_IOERR_SHMMAP},
    Fault{"db-shm-map.NOMEM", Call::DbShmMap, SQLITE_IOERR_NOMEM},
    Fault{"db-shm-lock.IOERR", Call::DbShmLock, SQLITE_IOERR_SHMLOCK},
    Fault{"socket.EMFILE", Call::Socket, EMFILE},
    Fault{"accept.EMFILE", Call::Accept, EMFILE},
    Fault{"accept.ECONNABORTED", Call::Accept, ECONNABORTED, false, false},
    Fault{"accept.EINTR", Call::Accept, EINTR, false, false},
    Fault{"accept.EAGAIN", Call::Accept, EAGAIN, false, false},
    Fault{"recv.ECONNRESET", Call::Recv, ECONNRESET},
    Fault{"recv.EINTR", Call::Recv, EINTR, false, false},
    Fault{"recv.EAGAIN", Call::Recv, EAGAIN, false, false},
    Fault{"recv.short", Call::Recv, 0, true},
    Fault{"recvmsg.ECONNRESET", Call::Recvmsg, ECONNRESET},
    Fault{"recvmsg.EINTR", Call::Recvmsg, EINTR, false, false},
    Fault{"recvmsg.EAGAIN", Call::Recvmsg, EAGAIN, false, false},
    Fault{"send.EPIPE", Call::Send, EPIPE},
    Fault{"send.EINTR", Call::Send, EINTR, false, false},
    Fault{"send.EAGAIN", Call::Send, EAGAIN, false, false},
    Fault{"send.short", Call::Send, 0, true},
    Fault{"sendmsg.EPIPE", Call::Sendmsg, EPIPE},
    Fault{"sendmsg.ENOBUFS", Call::Sendmsg, ENOBUFS},
    Fault{"sendmsg.EAGAIN", Call::Sendmsg, EAGAIN, false, false},
    Fault{"sendmsg.EINTR", Call::Sendmsg, EINTR, false, false},
    Fault{"getsockopt.ENOBUFS", Call::Getsockopt, ENOBUFS},
    Fault{"read.EIO", Call::Read, EIO},
    Fault{"read.EINTR", Call::Read, EINTR, false, false},
    Fault{"read.short", Call::Read, 0, true},
    Fault{"pread.EIO", Call::Pread, EIO},
    Fault{"pread.EINTR", Call::Pread, EINTR, false, false},
    Fault{"pread.short", Call::Pread, 0, true},
    Fault{"write.EIO", Call::Write, EIO},
    Fault{"write.ENOSPC", Call::Write, ENOSPC},
    Fault{"write.EINTR", Call::Write, EINTR, false, false},
    Fault{"write.short", Call::Write, 0, true},
    Fault{"pwrite.EIO", Call::Pwrite, EIO},
    Fault{"pwrite.ENOSPC", Call::Pwrite, ENOSPC},
    Fault{"pwrite.EINTR", Call::Pwrite, EINTR, false, false},
    Fault{"pwrite.short", Call::Pwrite, 0, true},
    Fault{"open.EMFILE", Call::Open, EMFILE},
    Fault{"open.EACCES", Call::Open, EACCES},
    Fault{"open.EINTR", Call::Open, EINTR, false, false},
    Fault{"stat.EIO", Call::Stat, EIO},
    Fault{"stat.ENOMEM", Call::Stat, ENOMEM},
    Fault{"fstat.EIO", Call::Fstat, EIO},
    Fault{"fsync.EIO", Call::Fsync, EIO},
    Fault{"fsync.ENOSPC", Call::Fsync, ENOSPC},
    Fault{"fdatasync.EIO", Call::Fdatasync, EIO},
    Fault{"ftruncate.EIO", Call::Ftruncate, EIO},
    Fault{"ftruncate.ENOSPC", Call::Ftruncate, ENOSPC},
    Fault{"fchmod.EROFS", Call::Fchmod, EROFS},
    Fault{"rename.EIO", Call::Rename, EIO},
    Fault{"rename.ENOSPC", Call::Rename, ENOSPC},
    Fault{"unlink.EIO", Call::Unlink, EIO},
    Fault{"fcntl.EIO", Call::Fcntl, EIO, false, false},
    Fault{"mmap.ENOMEM", Call::Mmap, ENOMEM},
    Fault{"memfd_create.EMFILE", Call::MemfdCreate, EMFILE},
    Fault{"epoll_ctl.ENOMEM", Call::EpollCtl, ENOMEM},
    Fault{"epoll_ctl.ENOSPC", Call::EpollCtl, ENOSPC},
    Fault{"epoll_wait.EINTR", Call::EpollWait, EINTR, false, false},
    Fault{"epoll_wait.ENOMEM", Call::EpollWait, ENOMEM},
};

// What the hooks read: one process runs one injection. A reading of policy.db has a second thread,
// so which call is the n-th of both may differ from run to run there.
struct State {
  const Fault* fault = nullptr;
  std::uint64_t nth = 0;
  bool is_sticky = false;
  Shared* shared = nullptr;
};

State& state() noexcept {
  static constinit State one;
  return one;
}

int& calm() noexcept {
  static constinit thread_local int depth = 0;
  return depth;
}

}  // namespace

std::span<const Fault> faults() {
  return kFaults;
}

std::optional<Fault> find_fault(std::string_view name) {
  const auto* found = std::find_if(kFaults.begin(), kFaults.end(),
                                   [name](const Fault& fault) { return fault.name == name; });
  return found == kFaults.end() ? std::nullopt : std::optional(*found);
}

void arm(const Fault& fault, std::uint64_t nth, bool is_sticky, Shared& shared) {
  state() = {&fault, nth, is_sticky, &shared};
}

void disarm() {
  state().shared = nullptr;
}

const Fault* take(Call call) noexcept {
  State& now = state();
  if (now.shared == nullptr || calm() > 0) return nullptr;
  auto& calls = now.shared->calls[static_cast<std::size_t>(call)];
  const std::uint64_t number = std::atomic_ref(calls).fetch_add(1) + 1;
  if (now.nth == 0 || now.fault->call != call) return nullptr;
  if (number != now.nth && !(now.is_sticky && number > now.nth)) return nullptr;
  std::atomic_ref(now.shared->fired).fetch_add(1);
  return now.fault;
}

Calm::Calm() noexcept {
  ++calm();
}
Calm::~Calm() {
  --calm();
}

}  // namespace inject
