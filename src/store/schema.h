// The tables of policy.db and state.db, as steps: PRAGMA user_version counts how many of them a
// file has seen.
//
// A released step is never edited, a new need is a new step. All pending steps and the new number
// are one transaction; a file from a newer version, or one that isn't ours, is left alone. CHECKs
// and triggers speak in sentences, because whatever tool an admin writes with prints them.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/store/sqlite.h"

namespace store {

// One kind of database of ours.
struct Schema {
  std::int64_t application_id = 0;  // what file(1) and we know it by
  std::string_view name;            // for messages: "policy database"
  std::vector<std::string> steps;

  [[nodiscard]] std::int64_t newest() const { return std::ssize(steps); }
};
const Schema& policy_schema();  // "TLSP"
const Schema& state_schema();   // "TLSS"

struct Migrated {
  std::int64_t from = 0;
  std::int64_t to = 0;
};
// Brings `db` to the newest schema; an empty database is made ours.
base::Result<Migrated> migrate(Database& db, const Schema& schema);

// Whose file this is, by application_id and user_version.
enum class Origin : std::uint8_t { Ours, NotOurs, Newer, Older, Unreadable };
struct Identity {
  Origin origin = Origin::Ours;
  std::string text;  // for the admin, where it isn't Ours
  Failure failure;   // where it is Unreadable
  std::int64_t version = 0;
};
Identity identify(Database& db, const Schema& schema);

// What stands in the schema of `db`, a policy database, that shouldn't, or is missing, or differs
// from ours letter by letter. Further tables, views and plain indexes of the admin's are his
// business; triggers, and indexes that compute something, are not where they touch our tables.
// `version` is how many steps the file has seen, one at least.
struct SchemaFault {
  std::optional<std::string> text;
  Failure failure;
};
SchemaFault find_schema_fault(Database& db, std::int64_t version);

}  // namespace store
