#include "src/store/state_db.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "src/base/handle.h"
#include "src/store/schema.h"
#include "src/store/state_db_impl.h"

namespace store {
namespace {

constexpr int kLockWaitMs = 2000;
constexpr int kLongestValue = 1 << 20;

// Made by hand, so that what stands in the ledger is not for everybody to read.
base::Result<void> make_file(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (fd) return {};
  return base::Error{fmt::format("{}: {}", path, std::strerror(errno))};
}

base::Result<Database> open_file(const std::string& path) {
  auto [db, failure] =
      Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, kLockWaitMs);
  if (!failure.failed()) failure = db.distrust_content(kLongestValue);
  if (failure.failed()) return base::Error{fmt::format("{}: {}", path, failure.text)};
  return base::Result<Database>(std::move(db));
}

base::Result<void> check_origin(Database& db, const std::string& path) {
  const auto identity = identify(db, state_schema());
  if (identity.origin == Origin::Ours) return {};
  return base::Error{fmt::format("{}: {}", path, identity.text)};
}

}  // namespace

std::string StateDb::Impl::describe(const Failure& failure) const {
  return fmt::format("{}: {}", path, failure.text);
}

StateDb::Refused StateDb::Impl::refuse(const Failure& failure) const {
  // After a failed sync nobody knows what is on disk; a fresh connection reads it again.
  return {describe(failure), failure.kind() == SQLITE_IOERR};
}

StateDb::StateDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateDb::StateDb(StateDb&&) noexcept = default;
StateDb& StateDb::operator=(StateDb&&) noexcept = default;
StateDb::~StateDb() = default;

base::Result<StateDb> StateDb::open_for_daemon(const std::string& path) {
  if (auto made = make_file(path); !made) return base::Error{made.error()};
  auto db = open_file(path);
  if (!db) return base::Error{db.error()};
  auto failure = db->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  if (failure.failed()) return base::Error{fmt::format("{}: {}", path, failure.text)};
  if (const auto migrated = migrate(*db, state_schema()); !migrated) {
    return base::Error{fmt::format("{}: {}", path, migrated.error())};
  }
  auto [finding, check_failure] = db->text("PRAGMA quick_check(1)");
  if (check_failure.failed() || finding != "ok") {
    return base::Error{
        fmt::format("{}: it is damaged ({}); move it away, a new one is made, or "
                    "put a good copy in its place",
                    path, check_failure.failed() ? check_failure.text : finding)};
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->db = std::move(*db);
  return StateDb(std::move(impl));
}

base::Result<StateDb> StateDb::open_read_only(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return base::Error{
        fmt::format("{}: {}; the daemon makes it at its first start", path, std::strerror(errno))};
  }
  auto db = open_file(path);
  if (!db) return base::Error{db.error()};
  if (auto ours = check_origin(*db, path); !ours) return base::Error{ours.error()};
  // Opened for writing even so: a connection that may not write leaves -wal and -shm behind.
  if (auto failure = db->execute("PRAGMA query_only=ON"); failure.failed()) {
    return base::Error{fmt::format("{}: {}", path, failure.text)};
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->db = std::move(*db);
  return StateDb(std::move(impl));
}

base::Result<std::vector<DecisionRow>> StateDb::list_decisions(std::int64_t since,
                                                               std::string_view destination,
                                                               std::int64_t limit) {
  auto [statement, failure] = impl_->db.prepare(
      fmt::format("SELECT {} FROM decision WHERE at >= ?1 AND (?2 = '' OR destination = ?2) "
                  "ORDER BY seq DESC LIMIT ?3",
                  kDecisionColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, destination);
  statement.bind(3, limit);
  std::vector<DecisionRow> rows;
  while (statement.step()) rows.push_back(read_decision(statement));
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return rows;
}

base::Result<void> StateDb::walk_decisions(std::string_view destination, std::int64_t until,
                                           const std::function<bool(DecisionRow)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      fmt::format("SELECT {} FROM decision WHERE at < ?1 AND (?2 = '' OR destination = ?2) "
                  "ORDER BY seq",
                  kDecisionColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, until);
  statement.bind(2, destination);
  while (statement.step()) {
    if (!visit(read_decision(statement))) return {};
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

base::Result<Head> StateDb::head() {
  auto [head, failure] = read_head(impl_->db);
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  return head;
}

base::Result<Verification> StateDb::verify_ledger(std::string_view head) {
  auto [found, failure] = verify(impl_->db, head);
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  return found;
}

}  // namespace store
