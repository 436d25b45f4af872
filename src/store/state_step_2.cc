// The second schema of state.db: what rows that are only observed would have asked.
#include "src/store/schema_steps.h"

namespace store {

// As `evidence`, for deliveries alone. `level` is empty where the row is at fault, which would be
// answered TEMP.
std::string state_step_2() {
  return R"sql(
CREATE TABLE observed(
  destination TEXT NOT NULL,
  view TEXT NOT NULL,
  "row" TEXT NOT NULL,
  profile TEXT NOT NULL,
  level TEXT NOT NULL,
  fallback TEXT NOT NULL,
  hour INTEGER NOT NULL,
  source TEXT NOT NULL,
  cause TEXT NOT NULL,
  security TEXT NOT NULL,
  trusted INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (destination, view, "row", profile, level, fallback, hour, source, cause, security, trusted)
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_hour ON observed(hour))sql";
}

}  // namespace store
