// The fourth schema of state.db: what became of submitted mail.
#include "src/store/schema_steps.h"

namespace store {

// The newest ones are kept.
std::string state_step_4() {
  return R"sql(
CREATE TABLE submission_decision(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  rule TEXT NOT NULL,
  step TEXT NOT NULL,
  client TEXT NOT NULL,
  sasl_user TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  protocol TEXT NOT NULL,
  required TEXT NOT NULL,
  got TEXT NOT NULL,
  action TEXT NOT NULL
) STRICT)sql";
}

}  // namespace store
