// StateDb: the states of destinations, and the commits that change them.
#include <fmt/format.h>

#include <algorithm>

#include "src/store/state_db_impl.h"
#include "src/store/state_json.h"

namespace store {
namespace {

constexpr std::string_view kColumns =
    "view, destination, version, phase, level, since, until, offered_at, absent_at, worked_at, "
    "state";

Failure put_state(Database& db, const StateChange& change) {
  const auto& state = *change.state;
  // An older version never overwrites a newer one, whatever order proposals come in.
  auto [statement, failure] = db.prepare(
      "INSERT INTO destination_state(view, destination, version, phase, level, since, until, "
      "offered_at, absent_at, worked_at, updated_at, state) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
      "ON CONFLICT(view, destination) DO UPDATE SET version = excluded.version, "
      "phase = excluded.phase, level = excluded.level, since = excluded.since, "
      "until = excluded.until, offered_at = excluded.offered_at, "
      "absent_at = excluded.absent_at, worked_at = excluded.worked_at, "
      "updated_at = excluded.updated_at, state = excluded.state "
      "WHERE excluded.version >= version");
  if (failure.failed()) return failure;
  const std::string rest = state_json(state);
  statement.bind(1, std::string_view(change.view));
  statement.bind(2, std::string_view(change.destination));
  statement.bind(3, static_cast<std::int64_t>(state.version));
  statement.bind(4, model::to_word(state.phase));
  statement.bind(5, model::to_word(state.to));
  statement.bind(6, state.since);
  statement.bind(7, state.until);
  statement.bind(8, state.offered_at);
  statement.bind(9, state.absent_at);
  statement.bind(10, state.worked_at);
  statement.bind(11, change.at);
  statement.bind(12, std::string_view(rest));
  return statement.run();
}

Failure put(Database& db, const StateChange& change) {
  if (change.state) {
    if (auto failure = put_state(db, change); failure.failed()) return failure;
  }
  std::size_t number = 0;
  for (const auto& decision : change.decisions) {
    auto row = row_of(decision, change.at, change.view, change.destination,
                      fmt::format("{}/{}", change.id, ++number));
    if (auto failure = append(db, row); failure.failed()) return failure;
  }
  return {};
}

std::optional<StoredState> read_row(const Statement& statement) {
  StoredState stored;
  stored.view = statement.text(0);
  stored.destination = statement.text(1);
  auto& state = stored.state;
  state.version = static_cast<std::uint64_t>(statement.integer(2));
  const auto phase = model::parse_phase(statement.text(3));
  const auto level = model::parse_level(statement.text(4));
  if (!phase || !level) return std::nullopt;
  state.phase = *phase;
  state.to = *level;
  state.since = statement.integer(5);
  state.until = statement.integer(6);
  state.offered_at = statement.integer(7);
  state.absent_at = statement.integer(8);
  state.worked_at = statement.integer(9);
  if (!read_state_json(statement.text(10), state)) return std::nullopt;
  return stored;
}

// Holds until the row is written anew: by what is learnt of the peer, or by an admin's reset.
StoredState stand_in(const Statement& statement, std::int64_t lived) {
  StoredState stored;
  stored.view = statement.text(0);
  stored.destination = statement.text(1);
  stored.is_stand_in = true;
  auto& state = stored.state;
  state.version = static_cast<std::uint64_t>(statement.integer(2));
  state.worked_at = statement.integer(9);
  state.offered_at = std::max({std::int64_t{1}, statement.integer(5), statement.integer(7),
                               statement.integer(8), state.worked_at});
  state.offered_lived = lived;
  return stored;
}

base::Result<StoredState> read_or_stand_in(StateDb& db, const Statement& statement) {
  if (auto stored = read_row(statement)) return std::move(*stored);
  const auto clock = db.load_clock();
  if (!clock) return base::Error{clock.error()};
  return stand_in(statement, clock->lived);
}

}  // namespace

std::optional<StateDb::Refused> StateDb::commit(const std::vector<StateChange>& changes) {
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (failure.failed()) return impl_->refuse(failure);
  for (const auto& change : changes) {
    if (auto failed = put(impl_->db, change); failed.failed()) return impl_->refuse(failed);
  }
  if (auto failed = transaction.commit(); failed.failed()) return impl_->refuse(failed);
  return std::nullopt;
}

base::Result<void> StateDb::load_states(const std::function<bool(StoredState)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      fmt::format("SELECT {} FROM destination_state ORDER BY view, destination", kColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  while (statement.step()) {
    auto stored = read_or_stand_in(*this, statement);
    if (!stored) return base::Error{stored.error()};
    if (!visit(std::move(*stored))) return {};
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

base::Result<std::vector<StoredState>> StateDb::list_away(std::int64_t limit) {
  auto [statement, failure] =
      impl_->db.prepare(fmt::format("SELECT {} FROM destination_state WHERE phase <> 'normal' "
                                    "ORDER BY phase IN ('probation', 'trial'), since DESC LIMIT ?1",
                                    kColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, limit);
  std::vector<StoredState> away;
  while (statement.step()) {
    if (auto stored = read_row(statement)) away.push_back(std::move(*stored));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return away;
}

base::Result<std::optional<StoredState>> StateDb::find_state(std::string_view view,
                                                             std::string_view destination) {
  auto [statement, failure] = impl_->db.prepare(fmt::format(
      "SELECT {} FROM destination_state WHERE view = ?1 AND destination = ?2", kColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, view);
  statement.bind(2, destination);
  std::optional<StoredState> found;
  if (statement.step()) {
    auto stored = read_or_stand_in(*this, statement);
    if (!stored) return base::Error{stored.error()};
    found = std::move(*stored);
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return found;
}

}  // namespace store
