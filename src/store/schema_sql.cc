#include "src/store/schema_sql.h"

#include <fmt/format.h>

#include <vector>

#include "src/base/text.h"

namespace store {
namespace {

// {table}, {key}; {new}, {old} and {row} are the JSON of a row. What one statement changed is one
// row of the log, a new key is the end of one row and the beginning of another.
constexpr std::string_view kLogTriggers = R"sql(
CREATE TRIGGER {table}_before_insert BEFORE INSERT ON {table} BEGIN
  INSERT OR REPLACE INTO replaced_row
    SELECT '{table}', {key}, {row} FROM {table} WHERE {key} = NEW.{key};
END;
CREATE TRIGGER {table}_after_insert AFTER INSERT ON {table} BEGIN
  {insert_rules}
  INSERT INTO change_log(at, table_name, key, op, before, after)
    SELECT unixepoch(), '{table}', NEW.{key}, iif(before IS NULL, 'insert', 'update'), before, {new}
    FROM (SELECT 1) LEFT JOIN replaced_row ON table_name = '{table}' AND key = NEW.{key};
  DELETE FROM replaced_row WHERE table_name = '{table}' AND key = NEW.{key};
END;
CREATE TRIGGER {table}_before_rename BEFORE UPDATE OF {key} ON {table}
WHEN NEW.{key} <> OLD.{key} BEGIN
  SELECT RAISE(ABORT, 'a row with the new {key} exists already; delete one of the two first')
    WHERE EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key});
  {rename_rules}
END;
CREATE TRIGGER {table}_after_update AFTER UPDATE ON {table} BEGIN
  {update_rules}
  INSERT INTO change_log(at, table_name, key, op, before, after)
    SELECT unixepoch(), '{table}', NEW.{key}, 'update', {old}, {new}
    WHERE NEW.{key} = OLD.{key} AND {old} <> {new};
  INSERT INTO change_log(at, table_name, key, op, before)
    SELECT unixepoch(), '{table}', OLD.{key}, 'delete', {old} WHERE NEW.{key} <> OLD.{key};
  INSERT INTO change_log(at, table_name, key, op, after)
    SELECT unixepoch(), '{table}', NEW.{key}, 'insert', {new} WHERE NEW.{key} <> OLD.{key};
  DELETE FROM replaced_row WHERE table_name = '{table}' AND key = OLD.{key};
END;
CREATE TRIGGER {table}_after_delete AFTER DELETE ON {table} BEGIN
  {delete_rules}
  INSERT INTO change_log(at, table_name, key, op, before)
    VALUES (unixepoch(), '{table}', OLD.{key}, 'delete', {old});
  DELETE FROM replaced_row WHERE table_name = '{table}' AND key = OLD.{key};
END)sql";

std::string json(std::span<const char* const> columns, std::string_view row) {
  std::vector<std::string> parts;
  for (const auto* column : columns) parts.push_back(fmt::format("'{0}', {1}{0}", column, row));
  return fmt::format("json_object({})", base::join(parts, ", "));
}

}  // namespace

std::string prose(std::string_view column, int most) {
  return fmt::format(
      "CONSTRAINT \"{0} must be 1 to {1} characters without control characters, or NULL\" CHECK "
      "({0} NOT GLOB '*[^ -~\u00a0-\U0010fffd]*' AND length({0}) BETWEEN 1 AND {1})",
      column, most);
}

std::string attribute(std::string_view column, int most) {
  return fmt::format(
      "CONSTRAINT \"{0} must be 1 to {1} printable ASCII characters without blanks and commas, or "
      "NULL\" CHECK ({0} NOT GLOB '*[^!-+--~]*' AND length({0}) BETWEEN 1 AND {1})",
      column, most);
}

std::string seconds(std::string_view column, int least) {
  return fmt::format(
      "CONSTRAINT \"{0} must be {1} to 315360000 seconds, or NULL\" CHECK ({0} BETWEEN {1} AND "
      "315360000)",
      column, least);
}

std::string yes_or_no(std::string_view column) {
  return fmt::format(
      "CONSTRAINT \"{0} must be yes or no (1 or 0), or NULL\" CHECK ({0} IN ('yes', 'no', '1', "
      "'0'))",
      column);
}

std::string no_nul(std::initializer_list<std::string_view> columns) {
  std::vector<std::string> parts;
  for (const auto column : columns) parts.push_back(fmt::format("ifnull({}, '')", column));
  return fmt::format("CONSTRAINT \"no column may hold a NUL byte\" CHECK (instr({}, char(0)) = 0)",
                     base::join(parts, " || "));
}

std::string log_triggers(std::string_view table, std::span<const char* const> columns,
                         const TableRules& rules) {
  return fmt::format(fmt::runtime(kLogTriggers), fmt::arg("table", table),
                     fmt::arg("key", columns.front()), fmt::arg("row", json(columns, "")),
                     fmt::arg("new", json(columns, "NEW.")), fmt::arg("old", json(columns, "OLD.")),
                     fmt::arg("insert_rules", rules.insert), fmt::arg("rename_rules", rules.rename),
                     fmt::arg("update_rules", rules.update),
                     fmt::arg("delete_rules", rules.remove));
}

}  // namespace store
