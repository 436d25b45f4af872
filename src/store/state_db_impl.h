// What the parts of StateDb share. Private to state_db.cc and those that implement the
// rest of it.
#pragma once

#include <cstdint>
#include <string>

#include "src/store/sqlite.h"
#include "src/store/state_db.h"

namespace store {

struct StateDb::Impl {
  std::string path;
  Database db;
  std::int64_t most_counters = kMostCounters;
  std::int64_t added = 0;                          // counters since they were trimmed
  std::int64_t added_inbound = kInboundTrimEvery;  // the first writing trims
  std::int64_t most_probed = kMostProbed;
  std::int64_t most_probe_changes = kMostProbeChanges;
  std::int64_t added_probes = kProbeTrimEvery;

  [[nodiscard]] std::string describe(const Failure& failure) const;
  [[nodiscard]] Refused refuse(const Failure& failure) const;
};

}  // namespace store
