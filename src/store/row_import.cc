#include "src/store/row_import.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/store/outbound_sql.h"
#include "src/store/policy_db_state.h"
#include "src/store/profile_rows.h"

namespace store {

struct RowImport::State {
  State(PolicyDb::State& opened, Transaction&& begun)
      : policy(opened), transaction(std::move(begun)) {}

  base::Result<void> run(Statement& statement) {
    const auto failure = statement.run();
    if (!failure.failed()) return {};
    is_usable = is_usable && failure.kind() == SQLITE_CONSTRAINT;
    return policy.describe(failure);
  }
  // A statement that is compiled when it is needed first.
  base::Result<void> prepare(std::optional<Statement>& statement, std::string_view sql) {
    if (statement) return {};
    auto [prepared, failure] = policy.db.prepare(sql);
    if (failure.failed()) {
      is_usable = false;
      return policy.describe(failure);
    }
    statement = std::move(prepared);
    return {};
  }

  PolicyDb::State& policy;
  bool is_usable = true;
  Transaction transaction;
  std::optional<Statement> set;
  std::optional<Statement> removal;
};

RowImport::RowImport(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowImport::RowImport(RowImport&&) noexcept = default;
RowImport& RowImport::operator=(RowImport&&) noexcept = default;
RowImport::~RowImport() = default;

// What it begins writes through `db`, behind a pointer that cppcheck doesn't follow.
// cppcheck-suppress constParameter
base::Result<RowImport> RowImport::begin(PolicyDb& db, Kind kind) {
  auto& policy = *db.state_;
  auto [transaction, failure] = Transaction::begin(
      policy.db, kind == Kind::Look ? Transaction::Kind::Read : Transaction::Kind::Write);
  if (failure.failed()) return policy.describe(failure);
  return RowImport(std::make_unique<State>(policy, std::move(transaction)));
}

bool RowImport::is_usable() const {
  return state_->is_usable;
}

base::Result<std::vector<RowImport::FoundProfile>> RowImport::profiles() {
  auto [statement, failure] = state_->policy.db.prepare(
      fmt::format("SELECT {} FROM profile ORDER BY name", profile_column_list()));
  if (failure.failed()) return state_->policy.describe(failure);
  std::vector<FoundProfile> found;
  while (statement.step()) {
    auto& each = found.emplace_back();
    each.name = statement.text(0);
    if (auto profile = read_profile(statement)) each.readable = std::move(*profile);
  }
  if (statement.failure().failed()) return state_->policy.describe(statement.failure());
  return found;
}

base::Result<void> RowImport::walk(const std::function<void(OutboundRow&&)>& visit) {
  auto [statement, failure] =
      state_->policy.db.prepare(fmt::format("{}ORDER BY destination", kSelectOutbound));
  if (failure.failed()) return state_->policy.describe(failure);
  while (statement.step()) visit(read_outbound_row(statement));
  if (statement.failure().failed()) return state_->policy.describe(statement.failure());
  return {};
}

base::Result<void> RowImport::put(const OutboundRow& row) {
  if (auto prepared = state_->prepare(state_->set, kSetOutbound); !prepared) return prepared;
  bind_outbound_row(*state_->set, row);
  return state_->run(*state_->set);
}

base::Result<void> RowImport::remove(std::string_view destination) {
  auto prepared = state_->prepare(state_->removal, "DELETE FROM outbound WHERE destination = ?1");
  if (!prepared) return prepared;
  state_->removal->bind(1, destination);
  return state_->run(*state_->removal);
}

base::Result<void> RowImport::add_profile(std::string_view name,
                                          const std::vector<PolicyDb::Setting>& settings) {
  std::vector<std::string> columns{"name"};
  std::vector<std::string> values{"?1"};
  for (const auto& setting : settings) {
    // The names go into the SQL as they are.
    const auto& known = PolicyDb::profile_columns();
    if (setting.column == "name" ||
        std::find(known.begin(), known.end(), setting.column) == known.end()) {
      return base::Error{fmt::format("\"{}\" is no column of a profile that can be set",
                                     base::printable(setting.column, 60))};
    }
    columns.push_back(setting.column);
    values.push_back(fmt::format("?{}", columns.size()));
  }
  auto [statement, failure] = state_->policy.db.prepare(fmt::format(
      "INSERT INTO profile({}) VALUES({})", base::join(columns, ", "), base::join(values, ", ")));
  if (failure.failed()) return state_->policy.describe(failure);
  statement.bind(1, name);
  int parameter = 2;
  for (const auto& setting : settings) statement.bind(parameter++, setting.value);
  return state_->run(statement);
}

base::Result<void> RowImport::commit() {
  if (const auto failure = state_->transaction.commit(); failure.failed()) {
    state_->is_usable = false;
    return state_->policy.describe(failure);
  }
  return {};
}

}  // namespace store
