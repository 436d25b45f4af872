// StateDb: the counters of evidence and the clocks.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/store/state_db_impl.h"

namespace store {
namespace {

Failure add(Database& db, const std::vector<EvidenceCount>& counts) {
  auto [statement, failure] = db.prepare(
      "INSERT INTO evidence(view, destination, hour, source, cause, security, trusted, count) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET "
      "count = count + excluded.count");
  if (failure.failed()) return failure;
  for (const auto& one : counts) {
    statement.bind(1, std::string_view(one.view));
    statement.bind(2, std::string_view(one.destination));
    statement.bind(3, one.hour);
    statement.bind(4, model::to_word(one.source));
    statement.bind(5, one.outcome.cause ? model::to_word(*one.outcome.cause) : "");
    statement.bind(6, model::to_word(one.outcome.security));
    statement.bind(7, std::int64_t{one.is_trusted ? 1 : 0});
    statement.bind(8, one.count);
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

Failure remember(Database& db, std::string_view name, std::string_view value) {
  auto [statement, failure] = db.prepare(
      "INSERT INTO memory(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = ?2");
  if (failure.failed()) return failure;
  statement.bind(1, name);
  statement.bind(2, value);
  return statement.run();
}

Failure remember(Database& db, std::string_view name, std::int64_t value) {
  return remember(db, name, std::string_view(std::to_string(value)));
}

std::pair<std::optional<std::string>, Failure> recall_text(Database& db, std::string_view name) {
  auto [statement, failure] = db.prepare("SELECT value FROM memory WHERE name = ?1");
  if (failure.failed()) return {std::nullopt, failure};
  statement.bind(1, name);
  std::optional<std::string> value;
  if (statement.step()) value = statement.text(0);
  return {std::move(value), statement.failure()};
}

// 0 where it was never remembered; nothing where what was is no number.
std::pair<std::optional<std::int64_t>, Failure> recall(Database& db, std::string_view name) {
  const auto [text, failure] = recall_text(db, name);
  return {text ? base::parse_number<std::int64_t>(*text) : 0, failure};
}

// One step towards fewer rows: the oldest eighth of the hours; of a single hour first what nobody
// believed, for whoever floods us is most likely that.
Failure drop_some(Database& db, std::string_view table) {
  const auto [oldest, oldest_failure] = db.number(fmt::format("SELECT min(hour) FROM {}", table));
  if (oldest_failure.failed()) return oldest_failure;
  const auto [newest, newest_failure] = db.number(fmt::format("SELECT max(hour) FROM {}", table));
  if (newest_failure.failed()) return newest_failure;
  if (oldest < newest) {
    return db.execute(
        fmt::format("DELETE FROM {} WHERE hour <= {}", table, oldest + (newest - oldest) / 8));
  }
  const auto [doubted, failure] =
      db.number(fmt::format("SELECT count(*) FROM {} WHERE trusted = 0", table));
  if (failure.failed()) return failure;
  return db.execute(
      fmt::format("DELETE FROM {}{}", table, doubted > 0 ? " WHERE trusted = 0" : ""));
}

// By age, and where there are too many rows.
Failure trim(Database& db, std::string_view table, std::int64_t now, std::int64_t most) {
  if (auto failed = db.execute(
          fmt::format("DELETE FROM {} WHERE hour < {}", table, now - StateDb::kKeptSeconds));
      failed.failed()) {
    return failed;
  }
  for (;;) {
    const auto [rows, failure] = db.number(fmt::format("SELECT count(*) FROM {}", table));
    if (failure.failed() || rows <= most) return failure;
    if (auto failed = drop_some(db, table); failed.failed()) return failed;
  }
}

std::optional<EvidenceCount> read_count(const Statement& statement) {
  EvidenceCount one;
  one.view = statement.text(0);
  one.destination = statement.text(1);
  one.hour = statement.integer(2);
  const auto source = model::parse_source(statement.text(3));
  const auto security = model::parse_security(statement.text(5));
  if (!source || !security) return std::nullopt;
  one.source = *source;
  one.outcome.security = *security;
  one.outcome.cause = model::parse_cause(statement.text(4));
  one.is_trusted = statement.integer(6) != 0;
  one.count = statement.integer(7);
  return one;
}

}  // namespace

std::optional<StateDb::Refused> StateDb::add_counts(const std::vector<EvidenceCount>& counts,
                                                    StoredClock clock, std::int64_t now) {
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (!failure.failed()) failure = add(impl_->db, counts);
  if (!failure.failed()) failure = remember(impl_->db, "wall", clock.wall);
  if (!failure.failed()) failure = remember(impl_->db, "lived", clock.lived);
  if (!failure.failed()) {
    const auto [trimmed, trimmed_failure] = recall(impl_->db, "trimmed");
    failure = trimmed_failure;
    impl_->added += static_cast<std::int64_t>(counts.size());
    const bool is_due = !trimmed || now >= *trimmed + 3600 || now < *trimmed ||
                        impl_->added >= std::min(kTrimEvery, impl_->most_counters);
    if (!failure.failed() && is_due) {
      impl_->added = 0;
      failure = trim(impl_->db, "evidence", now, impl_->most_counters);
      if (!failure.failed()) failure = trim(impl_->db, "observed", now, impl_->most_counters);
      if (!failure.failed()) failure = remember(impl_->db, "trimmed", now);
    }
  }
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return impl_->refuse(failure);
  return std::nullopt;
}

void StateDb::set_most_counters(std::int64_t most) {
  impl_->most_counters = most;
}

base::Result<StoredClock> StateDb::load_clock() {
  const auto [wall, wall_failure] = recall(impl_->db, "wall");
  if (wall_failure.failed()) return base::Error{impl_->describe(wall_failure)};
  const auto [lived, lived_failure] = recall(impl_->db, "lived");
  if (lived_failure.failed()) return base::Error{impl_->describe(lived_failure)};
  if (wall && lived) return StoredClock{*wall, *lived};
  return base::Error{fmt::format(
      "{0}: what table memory has as \"{1}\" is no number; stop the daemon, run: sqlite3 {0} "
      "\"DELETE FROM memory WHERE name='{1}'\", and start it",
      impl_->path, wall ? "lived" : "wall")};
}

std::optional<StateDb::Refused> StateDb::save_text(std::string_view name, std::string_view value) {
  const auto failure = remember(impl_->db, name, value);
  if (failure.failed()) return impl_->refuse(failure);
  return std::nullopt;
}

base::Result<std::optional<std::string>> StateDb::load_text(std::string_view name) {
  auto [text, failure] = recall_text(impl_->db, name);
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  return base::Result<std::optional<std::string>>(std::move(text));
}

base::Result<std::vector<EvidenceCount>> StateDb::list_counts(std::string_view destination,
                                                              std::int64_t since) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT view, destination, hour, source, cause, security, trusted, count FROM evidence "
      "WHERE (?1 = '' OR destination = ?1) AND hour >= ?2 ORDER BY hour DESC, view, destination");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, destination);
  statement.bind(2, since);
  std::vector<EvidenceCount> counts;
  while (statement.step()) {
    if (auto one = read_count(statement)) counts.push_back(std::move(*one));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return counts;
}

base::Result<void> StateDb::load_recent_mail(std::int64_t since,
                                             const std::function<void(std::string_view)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT DISTINCT destination FROM evidence WHERE hour >= ?1 AND trusted = 1 "
      "AND source IN (?2, ?3)");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, model::to_word(model::Source::Outcome));
  statement.bind(3, model::to_word(model::Source::Maillog));
  while (statement.step()) visit(statement.text(0));
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

}  // namespace store
