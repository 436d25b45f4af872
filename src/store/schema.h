// The tables of policy.db, as steps: PRAGMA user_version counts how many of them a file has seen.
//
// A released step is never edited, a new need is a new step. All pending steps and the new number
// are one transaction; a file from a newer version, or one that isn't ours, is left alone. CHECKs
// and triggers speak in sentences, because whatever tool an admin writes with prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/store/sqlite.h"

namespace store {

// "TLSP": what file(1) and we know our databases by.
inline constexpr std::int64_t kApplicationId = 0x544c5350;

std::vector<std::string> schema_steps();
std::int64_t newest_schema();

struct Migrated {
  std::int64_t from = 0;
  std::int64_t to = 0;
};
// Brings `db` to the newest schema; an empty database is made ours.
base::Result<Migrated> migrate(Database& db);

// Whose file this is, by application_id and user_version.
enum class Origin : std::uint8_t { Ours, NotOurs, Newer, Older, Unreadable };
struct Identity {
  Origin origin = Origin::Ours;
  std::string text;  // for the admin, where it isn't Ours
  Failure failure;   // where it is Unreadable
};
Identity identify(Database& db);

// What stands in the schema of `db` that shouldn't, or is missing, or differs from ours letter by
// letter. Further tables, views and plain indexes of the admin's are his business; triggers, and
// indexes that compute something, are not where they touch our tables.
struct SchemaFault {
  std::optional<std::string> text;
  Failure failure;
};
SchemaFault find_schema_fault(Database& db);

}  // namespace store
