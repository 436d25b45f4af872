// The third schema of state.db: what became of incoming mail.
#include "src/store/schema_steps.h"

namespace store {

// inbound_decision keeps the newest ones, inbound_count is trimmed as `evidence` is, inbound_known
// holds who was seen to use TLS, for rules with learn_count.
std::string state_step_3() {
  return R"sql(
CREATE TABLE inbound_decision(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  rule INTEGER NOT NULL,
  step TEXT NOT NULL,
  client TEXT NOT NULL,
  client_name TEXT NOT NULL,
  sender TEXT NOT NULL,
  protocol TEXT NOT NULL,
  required TEXT NOT NULL,
  got TEXT NOT NULL,
  action TEXT NOT NULL
) STRICT;
CREATE TABLE inbound_count(
  rule INTEGER NOT NULL,
  sender_domain TEXT NOT NULL,
  network TEXT NOT NULL,
  hour INTEGER NOT NULL,
  required TEXT NOT NULL,
  got TEXT NOT NULL,
  action TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (rule, sender_domain, network, hour, required, got, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_count_hour ON inbound_count(hour);
CREATE TABLE inbound_known(
  sender_domain TEXT NOT NULL,
  network TEXT NOT NULL,
  messages INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (sender_domain, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_known_seen ON inbound_known(seen_at))sql";
}

}  // namespace store
