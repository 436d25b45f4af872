#include "src/store/schema.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <map>
#include <utility>

#include "src/base/text.h"
#include "src/store/schema_steps.h"

namespace store {
namespace {

base::Error refuse(const Identity& identity) {
  return base::Error{identity.text};
}

// One object of a schema: what sqlite_schema says of it.
struct Object {
  std::string table;
  std::string sql;
};
using Objects = std::map<std::pair<std::string, std::string>, Object>;  // by type and name

std::pair<Objects, Failure> read_objects(Database& db) {
  Objects objects;
  auto [statement, failure] = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema");
  if (failure.failed()) return {objects, failure};
  while (statement.step()) {
    std::pair key{std::string(statement.text(0)), std::string(statement.text(1))};
    // Twice the same object only happens by writable_schema; the second SQL must not hide the
    // first.
    auto& object = objects[std::move(key)];
    object.table = base::to_lower(statement.text(2));
    object.sql += statement.text(3);
  }
  return {std::move(objects), statement.failure()};
}

// What the first `version` steps make of an empty database, with the SQLite we run on.
std::pair<Objects, Failure> make_expected_objects(std::int64_t version) {
  auto [db, failure] = Database::open(
      ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0);
  std::int64_t done = 0;
  for (const auto& step : policy_schema().steps) {
    if (!failure.failed() && done++ < version) failure = db.execute(step);
  }
  if (failure.failed()) return {Objects{}, failure};
  return read_objects(db);
}

// Made once for each version; a failure is not kept, memory may be there the next time.
const std::pair<Objects, Failure>& expected_objects(std::int64_t version) {
  static std::map<std::int64_t, std::pair<Objects, Failure>> by_version;
  auto& made = by_version[version];
  if (made.first.empty() || made.second.failed()) made = make_expected_objects(version);
  return made;
}

// True for an index of columns alone. Expressions and WHERE make SQLite run what the file says.
std::pair<bool, Failure> is_plain_index(Database& db, const std::string& table,
                                        const std::string& name) {
  auto [statement, failure] = db.prepare(
      "SELECT NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(?1) WHERE cid = -2) AND "
      "NOT EXISTS (SELECT 1 FROM pragma_index_list(?2) WHERE name = ?1 AND partial)");
  if (failure.failed()) return {false, failure};
  statement.bind(1, std::string_view(name));
  statement.bind(2, std::string_view(table));
  const bool plain = statement.step() && statement.integer(0) != 0;
  return {plain, statement.failure()};
}

}  // namespace

const Schema& policy_schema() {
  static const Schema kSchema{0x544c5350, "policy database", {schema_step_1(), schema_step_2()}};
  return kSchema;
}

const Schema& state_schema() {
  static const Schema kSchema{0x544c5353,
                              "state database",
                              {state_step_1(), state_step_2(), state_step_3(), state_step_4(),
                               state_step_5(), state_step_6()}};
  return kSchema;
}

Identity identify(Database& db, const Schema& schema) {
  const auto [application, failure] = db.number("PRAGMA application_id");
  if (failure.failed()) return {Origin::Unreadable, failure.text, failure, 0};
  const auto [version, version_failure] = db.number("PRAGMA user_version");
  if (version_failure.failed())
    return {Origin::Unreadable, version_failure.text, version_failure, 0};
  if (application != schema.application_id) {
    return {Origin::NotOurs,
            fmt::format("it is not a {}: its application_id is {}, ours is {}", schema.name,
                        application, schema.application_id),
            {},
            version};
  }
  if (version > schema.newest()) {
    return {Origin::Newer,
            fmt::format("it has schema {}, this version knows up to {}; upgrade tlspolicyd, or go "
                        "back to a copy from before",
                        version, schema.newest()),
            {},
            version};
  }
  if (version < schema.newest()) {
    return {Origin::Older,
            fmt::format("it has schema {}, this version needs {}; run `tlspolicyctl upgrade`",
                        version, schema.newest()),
            {},
            version};
  }
  return {Origin::Ours, {}, {}, version};
}

base::Result<Migrated> migrate(Database& db, const Schema& schema) {
  auto [transaction, failure] = Transaction::begin(db, Transaction::Kind::Write);
  if (failure.failed()) return failure.to_error();
  const auto [objects, count_failure] = db.number("SELECT count(*) FROM sqlite_schema");
  if (count_failure.failed()) return count_failure.to_error();
  const auto [version, version_failure] = db.number("PRAGMA user_version");
  if (version_failure.failed()) return version_failure.to_error();

  if (objects > 0) {
    const auto identity = identify(db, schema);
    if (identity.origin == Origin::Ours) return Migrated{version, version};
    if (identity.origin != Origin::Older) return refuse(identity);
  }
  const auto& steps = schema.steps;
  for (auto next = static_cast<std::size_t>(version); next < steps.size(); ++next) {
    if (const auto failed = db.execute(steps[next]); failed.failed()) return failed.to_error();
  }
  const auto numbered = db.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                               schema.application_id, steps.size()));
  if (numbered.failed()) return numbered.to_error();
  if (const auto committed = transaction.commit(); committed.failed()) return committed.to_error();
  return Migrated{version, std::ssize(steps)};
}

SchemaFault find_schema_fault(Database& db, std::int64_t version) {
  const auto& [expected, failure] = expected_objects(version);
  if (failure.failed()) return {std::nullopt, failure};
  auto [found, found_failure] = read_objects(db);
  if (found_failure.failed()) return {std::nullopt, found_failure};

  std::map<std::string, bool> is_ours;
  for (const auto& [key, object] : expected) {
    const auto& [type, name] = key;
    if (type == "table") is_ours[name] = true;
    const auto same = found.find(key);
    if (same == found.end()) return {fmt::format("{} {} is missing", type, name), {}};
    if (same->second.sql != object.sql || same->second.table != object.table) {
      return {fmt::format("{} {} is not as tlspolicyctl made it", type, name), {}};
    }
  }
  for (const auto& [key, object] : found) {
    if (expected.contains(key)) continue;
    const auto& [type, name] = key;
    const auto shown = base::printable(name, 100);
    if (base::to_lower(std::string_view(object.sql).substr(0, 14)) == "create virtual") {
      return {fmt::format("\"{}\" is a virtual table", shown), {}};
    }
    if (!is_ours.contains(object.table)) continue;
    if (type == "trigger") {
      return {fmt::format("trigger \"{}\" on table {} is not one of ours", shown, object.table),
              {}};
    }
    if (type == "index") {
      const auto [plain, index_failure] = is_plain_index(db, object.table, name);
      if (index_failure.failed()) return {std::nullopt, index_failure};
      if (!plain) {
        return {fmt::format("index \"{}\" on table {} computes something; only columns are allowed",
                            shown, object.table),
                {}};
      }
    }
  }
  return {};
}

}  // namespace store
