// StateDb: what checks of destinations found.
#include <fmt/format.h>

#include "src/store/probe_rows.h"
#include "src/store/state_db_impl.h"

namespace store {
namespace {

Failure drop_old(Database& db, std::int64_t now) {
  return db.execute(
      fmt::format("DELETE FROM probe WHERE watched_at < {0}; DELETE FROM probe_change WHERE at < "
                  "{0}",
                  now - StateDb::kKeptSeconds));
}

// Beyond `most`, those that were not watched for the longest time.
Failure drop_surplus(Database& db, std::int64_t most) {
  const auto [rows, failure] = db.number("SELECT count(*) FROM probe");
  if (failure.failed() || rows <= most) return failure;
  return db.execute(
      fmt::format("DELETE FROM probe WHERE destination IN (SELECT destination FROM probe ORDER BY "
                  "watched_at, destination LIMIT {})",
                  rows - most));
}

Failure trim(Database& db, std::int64_t most_probed, std::int64_t most_changes, std::int64_t now) {
  auto failure = drop_old(db, now);
  if (!failure.failed()) failure = drop_surplus(db, most_probed);
  if (failure.failed()) return failure;
  return db.execute(
      fmt::format("DELETE FROM probe_change WHERE seq <= (SELECT max(seq) FROM probe_change) - {}; "
                  "DELETE FROM probe_address WHERE destination NOT IN (SELECT destination FROM "
                  "probe)",
                  most_changes));
}

Failure add_peers(Statement& peers, StoredProbe& stored) {
  peers.bind(1, std::string_view(stored.record.destination));
  while (peers.step()) {
    if (auto peer = read_peer(peers)) stored.record.peers.push_back(std::move(*peer));
  }
  auto failure = peers.failure();
  peers.reset();
  return failure;
}

std::string select_peers() {
  return fmt::format("SELECT {} FROM probe_address WHERE destination = ?1 ORDER BY place",
                     peer_columns());
}

}  // namespace

void StateDb::set_most_probed(std::int64_t most) {
  impl_->most_probed = impl_->most_probe_changes = most;
}

std::optional<StateDb::Refused> StateDb::add_probes(const std::vector<ProbeUpdate>& updates,
                                                    std::int64_t now) {
  if (updates.empty()) return std::nullopt;
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (failure.failed()) return impl_->refuse(failure);
  auto [writer, make_failure] = ProbeWriter::make(impl_->db);
  failure = make_failure;
  for (const auto& update : updates) {
    if (!failure.failed()) failure = writer.write(update, now);
  }
  impl_->added_probes += std::ssize(updates);
  if (!failure.failed() && impl_->added_probes >= kProbeTrimEvery) {
    impl_->added_probes = 0;
    failure = trim(impl_->db, impl_->most_probed, impl_->most_probe_changes, now);
  }
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return impl_->refuse(failure);
  return std::nullopt;
}

std::optional<StateDb::Refused> StateDb::note_watched(const std::vector<std::string>& destinations,
                                                      std::int64_t now) {
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (failure.failed()) return impl_->refuse(failure);
  auto [statement, prepare_failure] =
      impl_->db.prepare("UPDATE probe SET watched_at = max(watched_at, ?2) WHERE destination = ?1");
  failure = prepare_failure;
  for (const auto& destination : destinations) {
    if (failure.failed()) break;
    statement.bind(1, std::string_view(destination));
    statement.bind(2, now);
    failure = statement.run();
  }
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return impl_->refuse(failure);
  return std::nullopt;
}

base::Result<std::optional<StoredProbe>> StateDb::find_probe(std::string_view destination) {
  auto [statement, failure] = impl_->db.prepare(
      fmt::format("SELECT {} FROM probe WHERE destination = ?1", probe_columns()));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, destination);
  std::optional<StoredProbe> stored;
  if (statement.step()) stored = read_probe(statement);
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  if (!stored) return stored;
  auto [peers, peers_failure] = impl_->db.prepare(select_peers());
  if (!peers_failure.failed()) peers_failure = add_peers(peers, *stored);
  if (peers_failure.failed()) return base::Error{impl_->describe(peers_failure)};
  return stored;
}

base::Result<void> StateDb::load_probes(const std::function<bool(StoredProbe)>& visit) {
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Read);
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  auto [statement, prepare_failure] =
      impl_->db.prepare(fmt::format("SELECT {} FROM probe ORDER BY destination", probe_columns()));
  if (prepare_failure.failed()) return base::Error{impl_->describe(prepare_failure)};
  auto [peers, peers_failure] = impl_->db.prepare(select_peers());
  if (peers_failure.failed()) return base::Error{impl_->describe(peers_failure)};
  while (statement.step()) {
    // What can't be read is as good as never checked.
    auto stored = read_probe(statement);
    if (!stored) continue;
    if (auto failed = add_peers(peers, *stored); failed.failed()) {
      return base::Error{impl_->describe(failed)};
    }
    if (!visit(std::move(*stored))) return {};
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

base::Result<std::vector<ProbeChangeRow>> StateDb::list_probe_changes(std::int64_t since,
                                                                      std::string_view destination,
                                                                      std::int64_t limit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT seq, at, destination, kind, host, before, after, text FROM probe_change "
      "WHERE at >= ?1 AND (?2 = '' OR destination = ?2) ORDER BY seq DESC LIMIT ?3");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, destination);
  statement.bind(3, limit);
  std::vector<ProbeChangeRow> rows;
  while (statement.step()) {
    const auto kind = model::parse_watch_change_kind(statement.text(3));
    if (!kind) continue;
    ProbeChangeRow row{statement.integer(0), {}};
    row.change = {statement.integer(1),
                  std::string(statement.text(2)),
                  *kind,
                  std::string(statement.text(4)),
                  std::string(statement.text(5)),
                  std::string(statement.text(6)),
                  std::string(statement.text(7))};
    rows.push_back(std::move(row));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return rows;
}

base::Result<std::int64_t> StateDb::count_deliveries(std::string_view destination,
                                                     std::int64_t since) {
  // A delivery that two sources report counts once: whoever saw most of them is right. The views
  // are found one by one, so that the counters of others are not read.
  auto [statement, failure] = impl_->db.prepare(
      "WITH RECURSIVE known(view) AS (SELECT min(view) FROM evidence UNION ALL SELECT (SELECT "
      "min(view) FROM evidence WHERE view > known.view) FROM known WHERE known.view IS NOT NULL) "
      "SELECT coalesce(max(seen), 0) FROM (SELECT sum(count) AS seen FROM known CROSS JOIN "
      "evidence "
      "USING (view) WHERE destination = ?1 AND hour >= ?2 AND cause = '' AND source IN ('outcome', "
      "'maillog') GROUP BY source)");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, destination);
  statement.bind(2, since);
  const std::int64_t count = statement.step() ? statement.integer(0) : 0;
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return count;
}

}  // namespace store
