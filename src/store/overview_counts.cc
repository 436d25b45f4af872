// StateDb: what a look at everything asks for.
#include "src/store/state_db_impl.h"

namespace store {

base::Result<std::vector<StateDb::PhaseCount>> StateDb::count_phases() {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT phase, count(*) FROM destination_state WHERE phase <> 'normal' GROUP BY phase");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  std::vector<PhaseCount> counts;
  while (statement.step()) {
    if (const auto phase = model::parse_phase(statement.text(0))) {
      counts.push_back({*phase, statement.integer(1)});
    }
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return counts;
}

base::Result<StateDb::CheckCounts> StateDb::count_checks(std::int64_t watched_since) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT delivers, count(*) FROM probe WHERE watched_at >= ?1 GROUP BY delivers");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, watched_since);
  CheckCounts counts;
  while (statement.step()) {
    const bool is_known = statement.type(0) != ColumnType::Null;
    auto& count = !is_known                   ? counts.unknown
                  : statement.integer(0) != 0 ? counts.compliant
                                              : counts.failing;
    count = statement.integer(1);
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return counts;
}

base::Result<std::vector<std::string>> StateDb::list_failing(std::int64_t watched_since,
                                                             std::int64_t limit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT destination FROM probe WHERE delivers = 0 AND watched_at >= ?1 "
      "ORDER BY since, destination LIMIT ?2");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, watched_since);
  statement.bind(2, limit);
  std::vector<std::string> failing;
  while (statement.step()) failing.emplace_back(statement.text(0));
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return failing;
}

base::Result<void> StateDb::list_ends(const std::function<bool(const SeenEnd&)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT DISTINCT not_after, destination, host FROM probe_address WHERE not_after > 0 "
      "ORDER BY not_after, destination, host");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  while (statement.step()) {
    if (!visit({statement.text(1), statement.text(2), statement.integer(0)})) return {};
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

}  // namespace store
