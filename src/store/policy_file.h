// policy.db as a file: what stat(2) says of it and its -wal, and how to open it for one reading.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "src/store/sqlite.h"

namespace store {

// One file at one moment. SQLite changes what a database says by write(2) alone, and each one shows
// in the times, if not in the size.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified = 0;  // nanoseconds
  std::int64_t changed = 0;
  bool is_regular = false;

  bool operator==(const FileMark&) const = default;
  [[nodiscard]] bool is_same_file(const FileMark& other) const {
    return device == other.device && inode == other.inode;
  }
};

struct Sight {
  std::optional<FileMark> main;
  std::optional<FileMark> wal;
  // The header of the wal-index in -shm, which names the last commit: a commit is one only when its
  // last sync is over, and what follows that is written through a mapping, which no time of a file
  // tells. Empty where there is none.
  std::string wal_index;
  int error = 0;  // errno, where the file can't be looked at for another reason than that it's gone

  bool operator==(const Sight&) const = default;
  // True where commits may stand in the -wal, so that the file alone is not all.
  [[nodiscard]] bool has_wal_content() const { return wal && wal->size > 0; }
};
// One line that is equal where the files are, also after a restart of the host: the number of a
// device may be another then, so it is left out.
std::string to_text(const Sight& sight);

class PolicyFile {
 public:
  // `tick`: how long a write could hide behind the time of the one before.
  PolicyFile(std::string path, std::chrono::nanoseconds tick)
      : path_(std::move(path)), tick_(tick.count()) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  // Never while a connection of this process is open: closing -shm would let go of its locks.
  [[nodiscard]] Sight look() const;
  // The file alone, at any time.
  [[nodiscard]] std::optional<FileMark> look_at_file() const;

  // Waits (three ticks at most) until no write could hide behind the times in `sight`; false
  // where writing never paused.
  bool settle(Sight& sight) const;

  // The first bytes of the file, where they can be read.
  enum class Format { Wal, Rollback, Foreign, Unreadable };
  [[nodiscard]] Format read_format() const;

  // Read only, hardened. Alone: the file without its -wal, without locks, without leaving a trace;
  // sound where nothing is written meanwhile, which a second look tells.
  enum class View { Alone, WithWal };
  [[nodiscard]] std::pair<Database, Failure> open(View view) const;

  // Removes -wal and -shm. The error names the file.
  [[nodiscard]] std::optional<std::string> remove_wal() const;

 private:
  // The name that SQLite appends "-wal" to: symbolic links followed.
  [[nodiscard]] std::string real_path() const;

  std::string path_;
  std::int64_t tick_;
};

}  // namespace store
