// What the parts of PolicyDb share. Private to store.
#pragma once

#include <string>

#include "src/store/policy_db.h"
#include "src/store/sqlite.h"

namespace store {

struct PolicyDb::State {
  std::string path;
  Database db;

  // A failure in words for the admin: constraints speak for themselves, the rest names the file.
  [[nodiscard]] base::Error describe(const Failure& failure) const;
  // Runs `statement` alone in a write transaction; how many rows it changed.
  base::Result<std::int64_t> write(Statement& statement);
};

}  // namespace store
