// Which call fails in this process, and how: what the hooks ask at each call, and what the runner
// sets before a scenario begins. Allocates nothing: operator new and malloc ask too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace inject {

// What can be made to fail, one counter each.
enum class Call : std::uint8_t {
  New,     // operator new
  Malloc,  // malloc, calloc, realloc of C libraries: not those inside operator new
  DbOpen,  // from here on the methods of SQLite's VFS
  DbDelete,
  DbRead,
  DbWrite,
  DbTruncate,
  DbSync,
  DbSize,
  DbLock,
  DbShmMap,
  DbShmLock,
  Socket,  // from here on system calls, those that the libraries make included
  Accept,
  Recv,
  Recvmsg,
  Send,
  Sendmsg,
  Getsockopt,
  Read,
  Pread,
  Write,
  Pwrite,
  Open,
  Stat,
  Fstat,
  Fsync,
  Fdatasync,
  Ftruncate,
  Fchmod,
  Rename,
  Unlink,
  Fcntl,
  Mmap,
  MemfdCreate,
  EpollCtl,
  EpollWait,
};
inline constexpr std::size_t kCalls = static_cast<std::size_t>(Call::EpollWait) + 1;

// Which of the three kinds of RELIABILITY.md section 6.
enum class Group : std::uint8_t { Memory, Sqlite, System };
[[nodiscard]] constexpr Group group_of(Call call) {
  if (call <= Call::Malloc) return Group::Memory;
  return call <= Call::DbShmLock ? Group::Sqlite : Group::System;
}

struct Fault {
  std::string_view name;  // "recv.ECONNRESET", "db-write.FULL", "new"
  Call call;
  int code = 0;           // errno, or SQLite's
  bool is_short = false;  // the call does a part of what it was asked
  bool may_stick = true;  // EINTR and EAGAIN for ever say nothing of the code that goes on
};
std::span<const Fault> faults();
std::optional<Fault> find_fault(std::string_view name);

// What the child leaves for its parent, in memory that both see, whatever becomes of the child.
struct Shared {
  std::array<std::uint64_t, kCalls> calls;  // counted, failed or not
  std::uint64_t fired;
  std::uint64_t acknowledged;  // one bit for each thing that the scenario was told is done
  bool is_out_of_memory;       // std::terminate, for std::bad_alloc
  std::array<char, 4096> text;
};

// From now on the `nth` call of its kind fails, and with `is_sticky` each one after it; 0: none.
void arm(const Fault& fault, std::uint64_t nth, bool is_sticky, Shared& shared);
void disarm();

// Asked by a hook: what has to fail now, or nothing.
const Fault* take(Call call) noexcept;

// While one lives, calls are the harness's own: neither counted nor failed.
class Calm {
 public:
  Calm() noexcept;
  ~Calm();
  Calm(const Calm&) = delete;
  Calm& operator=(const Calm&) = delete;
};

// Makes the shim the default VFS of SQLite; once.
void install_vfs();

}  // namespace inject
