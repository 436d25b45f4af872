#include "src/store/policy_db.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "src/base/handle.h"
#include "src/store/policy_db_state.h"
#include "src/store/schema.h"

namespace store {
namespace {

constexpr int kLockWaitMs = 5000;
constexpr int kLongestValue = 16 << 20;

base::Error describe_failure(const std::string& path, const Failure& failure) {
  switch (failure.kind()) {
    case SQLITE_CONSTRAINT:
      return base::Error{failure.text};
    case SQLITE_BUSY:
      return base::Error{fmt::format(
          "{}: another program holds a lock on it, an open transaction most likely; nothing was "
          "changed",
          path)};
    case SQLITE_READONLY:
      return base::Error{fmt::format("{}: it may not be written to by this user", path)};
  }
  return base::Error{fmt::format("{}: {}", path, failure.text)};
}

// A file that exists, with what every connection of the tools has in common.
base::Result<Database> open_existing(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return base::Error{fmt::format("{}: {}", path, std::strerror(errno))};
  }
  if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    return base::Error{fmt::format("{}: it is {}, not a database", path,
                                   S_ISREG(status.st_mode) ? "empty" : "no regular file")};
  }
  auto [db, failure] =
      Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, kLockWaitMs);
  if (!failure.failed()) failure = db.distrust_content(kLongestValue);
  // FULL: what a tool reported as done survives a power cut.
  if (!failure.failed()) failure = db.execute("PRAGMA synchronous=FULL");
  if (failure.failed()) return describe_failure(path, failure);
  return base::Result<Database>(std::move(db));
}

base::Result<void> fill_new_file(const std::string& path) {
  auto [db, failure] =
      Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, kLockWaitMs);
  if (!failure.failed()) failure = db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  if (failure.failed()) return describe_failure(path, failure);
  if (auto made = migrate(db, policy_schema()); !made) return base::Error{made.error()};
  // Now, because closing does it too and says nothing where it fails; and the file is to move away
  // from its -wal.
  const auto [is_busy, copy_failure] = db.number("PRAGMA wal_checkpoint(TRUNCATE)");
  if (copy_failure.failed()) return describe_failure(path, copy_failure);
  if (is_busy != 0) return base::Error{fmt::format("{}: another program has opened it", path)};
  return {};
}

base::Error system_error(const std::string& path) {
  return base::Error{fmt::format("{}: {}", path, std::strerror(errno))};
}

// It is opened for writing even so: a connection that may not write leaves -wal and -shm behind.
Failure prevent_writing(Database& db) {
  return db.execute("PRAGMA query_only=ON");
}

// Writing runs the triggers that the file says; they must be ours.
Failure allow_triggers(Database& db) {
  auto fault = find_schema_fault(db, policy_schema().newest());
  if (fault.failure.failed()) return fault.failure;
  if (fault.text) return {SQLITE_ERROR, *fault.text + "; it is not safe to write to"};
  return db.trust_schema();
}

// A name beside `path`, removed when it goes.
class DraftFile {
 public:
  explicit DraftFile(const std::string& path) : name_(path + ".new-XXXXXX") {
    fd_.reset(::mkostemp(name_.data(), O_CLOEXEC));
    if (fd_) static_cast<void>(::fchmod(fd_.get(), 0660));
  }
  ~DraftFile() {
    if (!is_made()) return;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((name_ + suffix).c_str());
  }
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  [[nodiscard]] bool is_made() const { return static_cast<bool>(fd_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  base::UniqueFd fd_;
};

}  // namespace

base::Error PolicyDb::State::describe(const Failure& failure) const {
  return describe_failure(path, failure);
}

base::Result<std::int64_t> PolicyDb::State::write(Statement& statement) {
  auto [transaction, failure] = Transaction::begin(db, Transaction::Kind::Write);
  if (!failure.failed()) failure = statement.run();
  const auto changed = db.changes();
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return describe(failure);
  return changed;
}

PolicyDb::PolicyDb(std::unique_ptr<State> state) : state_(std::move(state)) {}
PolicyDb::PolicyDb(PolicyDb&&) noexcept = default;
PolicyDb& PolicyDb::operator=(PolicyDb&&) noexcept = default;
PolicyDb::~PolicyDb() = default;

base::Result<void> PolicyDb::init(const std::string& path) {
  struct stat status {};
  for (const char* suffix : {"", "-wal", "-journal"}) {
    // A log that an earlier database left behind would be replayed into the new one.
    const std::string name = path + suffix;
    if (::lstat(name.c_str(), &status) == 0) {
      return base::Error{fmt::format("{}: it exists already; nothing was changed", name)};
    }
    if (errno != ENOENT) return system_error(name);
  }
  const DraftFile draft(path);
  if (!draft.is_made()) return system_error(draft.name());
  if (auto filled = fill_new_file(draft.name()); !filled) return filled;
  // A link, unlike a rename, fails where somebody else was quicker.
  if (::link(draft.name().c_str(), path.c_str()) != 0) return system_error(path);
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const base::UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return system_error(folder);
  return {};
}

base::Result<PolicyDb::Upgraded> PolicyDb::upgrade(const std::string& path) {
  auto db = open_existing(path);
  if (!db) return base::Error{db.error()};
  const auto identity = identify(*db, policy_schema());
  if (identity.origin != Origin::Ours && identity.origin != Origin::Older) {
    return base::Error{fmt::format("{}: {}", path, identity.text)};
  }
  const auto migrated = migrate(*db, policy_schema());
  if (!migrated) return base::Error{fmt::format("{}: {}", path, migrated.error())};
  return Upgraded{static_cast<int>(migrated->from), static_cast<int>(migrated->to)};
}

base::Result<PolicyDb> PolicyDb::open(const std::string& path, Access access) {
  auto db = open_existing(path);
  if (!db) return base::Error{db.error()};
  const auto identity = identify(*db, policy_schema());
  if (identity.origin == Origin::Unreadable) return describe_failure(path, identity.failure);
  if (identity.origin != Origin::Ours) {
    return base::Error{fmt::format("{}: {}", path, identity.text)};
  }
  if (auto prepared = access == Access::ReadOnly ? prevent_writing(*db) : allow_triggers(*db);
      prepared.failed()) {
    return describe_failure(path, prepared);
  }
  auto state = std::make_unique<State>();
  state->path = path;
  state->db = std::move(*db);
  return PolicyDb(std::move(state));
}

const char* library_version() {
  return sqlite3_libversion();
}

}  // namespace store
