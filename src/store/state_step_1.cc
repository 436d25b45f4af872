// The first schema of state.db: what the daemon remembers, decided and counted.
#include "src/store/schema_steps.h"

namespace store {

// Readable with the sqlite3 shell; only the daemon writes. `state` holds as JSON what has no column
// of its own. A view keeps several Postfix instances apart and is empty for the usual one.
//
// The ledger is append-only by trigger and chained by hash (ledger.h): who wants to change it has
// to drop the triggers, and then `tlspolicyctl decisions --verify` names the row.
std::string state_step_1() {
  return R"sql(
CREATE TABLE destination_state(
  view TEXT NOT NULL,
  destination TEXT NOT NULL,
  version INTEGER NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('normal', 'downgraded', 'rerouted', 'probation', 'trial')),
  level TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  offered_at INTEGER NOT NULL,
  absent_at INTEGER NOT NULL,
  worked_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (view, destination)
) STRICT, WITHOUT ROWID;
CREATE TABLE decision(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  destination TEXT,
  from_level TEXT,
  to_level TEXT,
  rule TEXT,
  fallback TEXT,
  evidence TEXT NOT NULL,
  until INTEGER,
  affected INTEGER NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  view TEXT NOT NULL,
  why TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX decision_destination ON decision(destination, at);
CREATE TRIGGER decision_is_append_only_1 BEFORE UPDATE ON decision BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no decision is changed');
END;
CREATE TRIGGER decision_is_append_only_2 BEFORE DELETE ON decision BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no decision is deleted');
END;
CREATE TRIGGER decision_is_append_only_3 BEFORE INSERT ON decision
WHEN NEW.seq IS NOT (SELECT ifnull(max(seq), 0) + 1 FROM decision) BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: a decision comes after the last one');
END;
CREATE TABLE evidence(
  view TEXT NOT NULL,
  destination TEXT NOT NULL,
  hour INTEGER NOT NULL,
  source TEXT NOT NULL,
  cause TEXT NOT NULL,
  security TEXT NOT NULL,
  trusted INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (view, destination, hour, source, cause, security, trusted)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_hour ON evidence(hour);
CREATE TABLE memory(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID)sql";
}

}  // namespace store
