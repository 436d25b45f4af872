// The part of PolicyDb that reads the change log, and takes changes back.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/base/text.h"
#include "src/store/policy_db_state.h"

namespace store {
namespace {

using Json = nlohmann::json;

ChangeRow read_change(const Statement& statement) {
  ChangeRow row;
  row.seq = statement.integer(0);
  row.at = statement.integer(1);
  row.table_name = statement.text(2);
  row.key = statement.text(3);
  row.op = statement.text(4);
  row.before = statement.optional_text(5);
  row.after = statement.optional_text(6);
  return row;
}

// The row of a change as stored in the log: a flat object, or null where there was no row.
base::Result<Json> parse_image(const ChangeRow& change, const std::optional<std::string>& text) {
  if (!text) return Json();
  auto image = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  bool flat = image.is_object();
  for (const auto& value : image) {
    flat = flat && (value.is_null() || value.is_string() || value.is_number_integer());
  }
  if (flat) return image;
  return base::Error{
      fmt::format("change {} holds no readable row; nothing was changed", change.seq)};
}

// Columns that a later schema added are as good as NULL in an older image.
bool is_same_row(const Json& image, const Json& current) {
  if (image.is_null() || current.is_null()) return image.is_null() && current.is_null();
  for (const auto& [column, value] : current.items()) {
    if (image.value(column, Json()) != value) return false;
  }
  return true;
}

Json value_of(const Statement& statement, int column) {
  if (statement.type(column) == ColumnType::Integer) return statement.integer(column);
  const auto text = statement.optional_text(column);
  return text ? Json(*text) : Json();
}

// The primary key of a table that the log speaks of; empty where none of ours has that name.
std::string_view key_of(std::string_view table) {
  if (table == "profile") return "name";
  if (table == "outbound") return "destination";
  if (table == "inbound") return "id";
  if (table == "submission") return "sender";
  return {};
}

// One table that the log speaks of, as undo needs it.
class LoggedTable {
 public:
  LoggedTable(Database& db, std::string_view name) : db_(db), name_(name), key_(key_of(name)) {}

  // The row as JSON, null where there is none.
  std::pair<Json, Failure> find(std::string_view key) {
    auto [statement, failure] =
        db_.prepare(fmt::format("SELECT * FROM {} WHERE {} = ?1", name_, key_));
    if (failure.failed()) return {Json(), failure};
    statement.bind(1, key);
    Json row;
    if (statement.step()) {
      for (int i = 0; i < statement.columns(); ++i) {
        row.emplace(std::string(statement.column_name(i)), value_of(statement, i));
      }
    }
    return {std::move(row), statement.failure()};
  }

  Failure remove(std::string_view key) {
    auto [statement, failure] =
        db_.prepare(fmt::format("DELETE FROM {} WHERE {} = ?1", name_, key_));
    if (failure.failed()) return failure;
    statement.bind(1, key);
    return statement.run();
  }

  // Inserts the row, or makes the one with its key equal to it.
  Failure put(const Json& row) {
    std::vector<std::string> columns;
    std::vector<std::string> values;
    std::vector<std::string> updates;
    for (const auto& [column, value] : row.items()) {
      // Quoted: the names come from a log that a shell can write.
      std::string quoted = "\"";
      for (const char c : column) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
      quoted += '"';
      columns.push_back(quoted);
      values.push_back(fmt::format("?{}", columns.size()));
      updates.push_back(fmt::format("{0} = excluded.{0}", quoted));
    }
    auto [statement, failure] = db_.prepare(fmt::format(
        "INSERT INTO {}({}) VALUES({}) ON CONFLICT({}) DO UPDATE SET {}", name_,
        base::join(columns, ", "), base::join(values, ", "), key_, base::join(updates, ", ")));
    if (failure.failed()) return failure;
    int parameter = 0;
    for (const auto& value : row) {
      ++parameter;
      if (value.is_string()) {
        statement.bind(parameter, std::string_view(value.get_ref<const std::string&>()));
      } else if (value.is_number_integer()) {
        statement.bind(parameter, value.get<std::int64_t>());
      }
    }
    return statement.run();
  }

 private:
  Database& db_;
  std::string name_;
  std::string key_;
};

constexpr std::string_view kSelect =
    "SELECT seq, at, table_name, key, op, before, after FROM change_log ";

}  // namespace

base::Result<std::vector<ChangeRow>> PolicyDb::list_changes(std::string_view table_name,
                                                            std::string_view key,
                                                            std::int64_t limit) {
  auto [statement, failure] = state_->db.prepare(
      fmt::format("{}WHERE (?1 = '' OR table_name = ?1) AND (?2 = '' OR key = ?2) "
                  "ORDER BY seq DESC LIMIT ?3",
                  kSelect));
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, table_name);
  statement.bind(2, key);
  statement.bind(3, limit);
  std::vector<ChangeRow> changes;
  while (statement.step()) changes.push_back(read_change(statement));
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return changes;
}

base::Result<ChangeRow> PolicyDb::find_undoable(std::int64_t seq) {
  auto [statement, failure] = state_->db.prepare(fmt::format("{}WHERE seq = ?1", kSelect));
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, seq);
  if (!statement.step()) {
    if (statement.failure().failed()) return state_->describe(statement.failure());
    return base::Error{fmt::format("there is no change {} in change_log", seq)};
  }
  auto change = read_change(statement);
  if (key_of(change.table_name).empty()) {
    return base::Error{fmt::format("change {} is of table {}, which can't be undone", seq,
                                   base::printable(change.table_name, 60))};
  }
  auto [later, later_failure] = state_->db.prepare(
      "SELECT seq, op FROM change_log WHERE seq > ?1 AND table_name = ?2 AND key = ?3 "
      "ORDER BY seq DESC LIMIT 1");
  if (later_failure.failed()) return state_->describe(later_failure);
  later.bind(1, seq);
  later.bind(2, std::string_view(change.table_name));
  later.bind(3, std::string_view(change.key));
  if (later.step()) {
    return base::Error{fmt::format(
        "{} {} has changed since, last by change {} ({}); undo that first", change.table_name,
        base::printable(change.key, 300), later.integer(0), later.text(1))};
  }
  if (later.failure().failed()) return state_->describe(later.failure());
  return change;
}

base::Result<std::string> PolicyDb::undo(std::int64_t seq) {
  auto [transaction, failure] = Transaction::begin(state_->db, Transaction::Kind::Write);
  if (failure.failed()) return state_->describe(failure);
  const auto change = find_undoable(seq);
  if (!change) return base::Error{change.error()};
  const auto before = parse_image(*change, change->before);
  if (!before) return base::Error{before.error()};
  const auto after = parse_image(*change, change->after);
  if (!after) return base::Error{after.error()};

  LoggedTable table(state_->db, change->table_name);
  const auto [current, find_failure] = table.find(change->key);
  if (find_failure.failed()) return state_->describe(find_failure);
  const auto name = fmt::format("{} {}", change->table_name, base::printable(change->key, 300));
  if (!is_same_row(*after, current)) {
    return base::Error{
        fmt::format("{} is not as change {} left it; nothing was changed", name, seq)};
  }
  failure = before->is_null() ? table.remove(change->key) : table.put(*before);
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return state_->describe(failure);
  if (before->is_null()) return fmt::format("{}: removed again, change {} is undone", name, seq);
  if (after->is_null()) return fmt::format("{}: restored, change {} is undone", name, seq);
  return fmt::format("{}: as before change {}", name, seq);
}

}  // namespace store
