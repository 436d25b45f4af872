// Rows of tables probe, probe_address and probe_change, in and out. Private to store/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/store/sqlite.h"
#include "src/store/state_db.h"

namespace store {

// One after the other, within a transaction of the caller's.
class ProbeWriter {
 public:
  static std::pair<ProbeWriter, Failure> make(Database& db);
  Failure write(const ProbeUpdate& update, std::int64_t now);

 private:
  Failure write_probe(const ProbeUpdate& update, std::int64_t now);
  Failure write_peers(const model::ProbeRecord& record);
  Failure write_changes(const std::vector<model::WatchChange>& changes);

  Statement put_;
  Statement drop_peers_;
  Statement add_peer_;
  Statement add_change_;
};

// The columns that read_probe() and read_peer() take, in their order.
std::string probe_columns();
std::string peer_columns();
// Nothing where the row is none of ours. The peers are missing yet.
std::optional<StoredProbe> read_probe(const Statement& row);
std::optional<model::ProbedPeer> read_peer(const Statement& row);

// The column `memory`.
std::string hosts_json(const std::vector<model::KnownHost>& hosts);
std::optional<std::vector<model::KnownHost>> read_hosts_json(std::string_view text);

}  // namespace store
