// The part of PolicyDb that edits and lists table profile.
#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/store/policy_db_state.h"
#include "src/store/profile_rows.h"

namespace store {
namespace {

std::string insert_sql(const std::vector<PolicyDb::Setting>& settings) {
  std::string columns = "name";
  std::string values = "?1";
  int parameter = 2;
  for (const auto& setting : settings) {
    // What isn't set keeps its default.
    if (setting.value) {
      columns += ", " + setting.column;
      values += fmt::format(", ?{}", parameter);
    }
    ++parameter;
  }
  return fmt::format("INSERT INTO profile({}) VALUES({})", columns, values);
}

std::string update_sql(const std::vector<PolicyDb::Setting>& settings) {
  std::vector<std::string> parts;
  parts.reserve(settings.size());
  int parameter = 2;
  for (const auto& setting : settings) {
    parts.push_back(fmt::format("{} = ?{}", setting.column, parameter++));
  }
  return fmt::format("UPDATE profile SET {} WHERE name = ?1", base::join(parts, ", "));
}

std::string select_one() {
  return fmt::format("SELECT {} FROM profile WHERE name = ?1", profile_column_list());
}

}  // namespace

base::Result<std::vector<ProfileRow>> PolicyDb::list_profiles() {
  auto [statement, failure] = state_->db.prepare(
      fmt::format("SELECT {} FROM profile ORDER BY name", profile_column_list()));
  if (failure.failed()) return state_->describe(failure);
  std::vector<ProfileRow> rows;
  while (statement.step()) rows.push_back(read_profile_columns(statement));
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return rows;
}

base::Result<std::optional<ProfileRow>> PolicyDb::find_profile(std::string_view name) {
  auto [statement, failure] = state_->db.prepare(select_one());
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, name);
  std::optional<ProfileRow> row;
  if (statement.step()) row = read_profile_columns(statement);
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return row;
}

base::Result<std::optional<model::Profile>> PolicyDb::load_profile(std::string_view name) {
  auto [statement, failure] = state_->db.prepare(select_one());
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, name);
  if (statement.step()) {
    auto profile = read_profile(statement);
    if (!profile) return base::Error{profile.error()};
    return std::optional<model::Profile>(std::move(*profile));
  }
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return std::optional<model::Profile>();
}

base::Result<void> PolicyDb::set_profile(std::string_view name,
                                         const std::vector<Setting>& settings) {
  for (const auto& setting : settings) {
    // The names go into the SQL as they are.
    const auto& known = profile_columns();
    if (setting.column == "name" ||
        std::find(known.begin(), known.end(), setting.column) == known.end()) {
      return base::Error{fmt::format("\"{}\" is no column of a profile that can be set",
                                     base::printable(setting.column, 60))};
    }
  }
  auto [transaction, failure] = Transaction::begin(state_->db, Transaction::Kind::Write);
  if (failure.failed()) return state_->describe(failure);
  auto existing = find_profile(name);
  if (!existing) return base::Error{existing.error()};
  if (existing->has_value() && settings.empty()) return {};

  auto [statement, prepare_failure] =
      state_->db.prepare(existing->has_value() ? update_sql(settings) : insert_sql(settings));
  if (prepare_failure.failed()) return state_->describe(prepare_failure);
  statement.bind(1, name);
  int parameter = 2;
  for (const auto& setting : settings) {
    if (existing->has_value() || setting.value) statement.bind(parameter, setting.value);
    ++parameter;
  }
  failure = statement.run();
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return state_->describe(failure);
  return {};
}

base::Result<bool> PolicyDb::remove_profile(std::string_view name) {
  auto [statement, failure] = state_->db.prepare("DELETE FROM profile WHERE name = ?1");
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, name);
  auto removed = state_->write(statement);
  if (!removed) return base::Error{removed.error()};
  return *removed > 0;
}

}  // namespace store
