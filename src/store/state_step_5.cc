// The fifth schema of state.db: what checks of destinations found.
#include "src/store/schema_steps.h"

namespace store {

// probe has the last check of each destination, probe_address what it found at each address (the
// most preferred one at place 0), probe_change what was another than before. Truths are 1, 0, or
// NULL where it is not known; times seconds since the epoch, 0 = never. `hosts` and `names` are
// lists with a blank and a colon between. `memory` is JSON: what is known of each host.
std::string state_step_5() {
  return R"sql(
CREATE TABLE probe(
  destination TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  watched_at INTEGER NOT NULL,
  route TEXT NOT NULL CHECK (route IN ('mx', 'implicit-mx', 'host', 'literal')),
  fault TEXT NOT NULL,
  trouble TEXT NOT NULL,
  signed INTEGER NOT NULL CHECK (signed IN (0, 1)),
  hosts TEXT NOT NULL,
  off INTEGER CHECK (off IN (0, 1)),
  opportunistic INTEGER CHECK (opportunistic IN (0, 1)),
  required INTEGER CHECK (required IN (0, 1)),
  verified INTEGER CHECK (verified IN (0, 1)),
  secure INTEGER CHECK (secure IN (0, 1)),
  pinned INTEGER CHECK (pinned IN (0, 1)),
  delivers INTEGER CHECK (delivers IN (0, 1)),
  since INTEGER NOT NULL,
  warned_days INTEGER NOT NULL,
  warned_of INTEGER NOT NULL,
  memory TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX probe_watched ON probe(watched_at);
CREATE TABLE probe_address(
  destination TEXT NOT NULL,
  place INTEGER NOT NULL,
  host TEXT NOT NULL,
  preference INTEGER NOT NULL,
  address TEXT NOT NULL,
  port INTEGER NOT NULL,
  security TEXT NOT NULL,
  cause TEXT NOT NULL,
  trouble TEXT NOT NULL,
  spoken INTEGER NOT NULL,
  offered INTEGER NOT NULL,
  crossed_out INTEGER NOT NULL,
  protocol TEXT NOT NULL,
  cipher TEXT NOT NULL,
  bits INTEGER NOT NULL,
  fit INTEGER NOT NULL,
  trust TEXT NOT NULL,
  named_for_verify INTEGER NOT NULL,
  named_for_secure INTEGER NOT NULL,
  names TEXT NOT NULL,
  more_names INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  pin TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  off INTEGER,
  opportunistic INTEGER,
  required INTEGER,
  verified INTEGER,
  secure INTEGER,
  pinned INTEGER,
  PRIMARY KEY (destination, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE probe_change(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  destination TEXT NOT NULL,
  kind TEXT NOT NULL,
  host TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX probe_change_destination ON probe_change(destination, seq))sql";
}

}  // namespace store
