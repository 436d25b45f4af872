#include "src/store/policy_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "src/base/handle.h"

namespace store {
namespace {

constexpr int kRounds = 3;
// A program that closes the database holds it for some milliseconds; longer is a lock to report.
constexpr int kLockWaitMs = 100;
// A row that is larger can't be read; 4096 is what the schema allows for the longest column.
constexpr int kLongestValue = 16 << 20;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileMark> mark_of(const std::string& path, int& error) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    return std::nullopt;
  }
  return FileMark{status.st_dev,
                  status.st_ino,
                  status.st_size,
                  nanoseconds(status.st_mtim),
                  nanoseconds(status.st_ctim),
                  S_ISREG(status.st_mode)};
}

// https://sqlite.org/walformat.html section 2.1: the header is 48 bytes, its copy follows.
std::string read_wal_index(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 48> header{};
  const auto size = fd ? ::pread(fd.get(), header.data(), header.size(), 0) : 0;
  return size > 0 ? std::string(header.data(), static_cast<std::size_t>(size)) : std::string();
}

constexpr std::int64_t kShortestPause = 1'000'000;  // nanoseconds

// The clock that files are stamped with.
std::int64_t file_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return nanoseconds(now);
}

std::int64_t youngest(const Sight& sight) {
  std::int64_t time = 0;
  for (const auto* mark : {&sight.main, &sight.wal}) {
    if (*mark) time = std::max(time, (*mark)->changed);
  }
  return time;
}

}  // namespace

std::string PolicyFile::real_path() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path_;
  struct FreeText {
    void operator()(char* text) const noexcept { ::free(text); }
  };
  const std::unique_ptr<char, FreeText> resolved(::realpath(path_.c_str(), nullptr));
  return resolved ? resolved.get() : path_;
}

std::string to_text(const Sight& sight) {
  std::string text;
  for (const auto& mark : {sight.main, sight.wal}) {
    text +=
        mark ? fmt::format("{}:{}:{}:{} ", mark->inode, mark->size, mark->modified, mark->changed)
             : "- ";
  }
  for (const char byte : sight.wal_index) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

std::optional<FileMark> PolicyFile::look_at_file() const {
  int ignored = 0;
  return mark_of(path_, ignored);
}

Sight PolicyFile::look() const {
  Sight sight;
  sight.main = mark_of(path_, sight.error);
  if (sight.main) {
    int ignored = 0;
    sight.wal = mark_of(real_path() + "-wal", ignored);
  }
  // SQLite gives a -wal its owner anew whenever root opens it, so that our own reading would show.
  if (sight.wal) sight.wal->changed = sight.wal->modified;
  if (sight.has_wal_content()) sight.wal_index = read_wal_index(real_path() + "-shm");
  return sight;
}

bool PolicyFile::settle(Sight& sight) const {
  for (int round = 0; round < kRounds; ++round) {
    auto age = file_clock() - youngest(sight);
    if (age > tick_ || age < 0) return true;
    // That clock stands still for up to 10 ms at a time.
    for (; age >= 0 && age <= tick_; age = file_clock() - youngest(sight)) {
      const timespec pause{0, std::max(tick_ - age, kShortestPause)};
      ::nanosleep(&pause, nullptr);
    }
    sight = look();
  }
  return file_clock() - youngest(sight) > tick_;
}

PolicyFile::Format PolicyFile::read_format() const {
  const base::UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  // https://sqlite.org/fileformat2.html section 1.3: the read version at offset 19 is 2 for WAL.
  std::array<char, 100> header{};
  if (!fd) return Format::Unreadable;
  const auto size = ::pread(fd.get(), header.data(), header.size(), 0);
  if (size < 0) return Format::Unreadable;
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (!std::string_view(header.data(), static_cast<std::size_t>(size)).starts_with(kMagic)) {
    return Format::Foreign;
  }
  return header[18] == 2 && header[19] == 2 ? Format::Wal : Format::Rollback;
}

std::pair<Database, Failure> PolicyFile::open(View view) const {
  // `?` and `#` would end the path, `%` begins an escape.
  std::string uri = path_.starts_with('/') ? "file://" : "file:";
  for (const char c : path_) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  if (view == View::Alone) uri += "?immutable=1";
  auto [db, failure] = Database::open(
      uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, kLockWaitMs);
  if (!failure.failed()) failure = db.distrust_content(kLongestValue);
  if (!failure.failed()) failure = db.disable_triggers();
  // integrity_check would evaluate them; every row is looked at by the compiler anyway.
  if (!failure.failed()) failure = db.execute("PRAGMA ignore_check_constraints=ON");
  return {std::move(db), std::move(failure)};
}

std::optional<std::string> PolicyFile::remove_wal() const {
  const auto stem = real_path();
  // -wal first: without it a -shm is ignored, while a -wal alone would be replayed.
  for (const char* suffix : {"-wal", "-shm"}) {
    const auto name = stem + suffix;
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
      return fmt::format("{}: {}", name, std::strerror(errno));
    }
  }
  return std::nullopt;
}

}  // namespace store
