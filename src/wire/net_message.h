// What role `net` is told and tells: destinations to watch come in by name alone, what probes found
// goes out. Bytes in, values out; the receiver believes nothing that does not parse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/cause.h"

namespace wire {

enum class StoreToNet : std::uint8_t {
  Watched = 1,  // one descriptor: WatchedRecords, all there are
  Events,       // WatchEvents, one behind the other
};

enum class NetToStore : std::uint8_t {
  Checked = 1,  // a ProbeRecord (probe_record.h)
  Stats,        // NetStats
};

enum class NetToAnswer : std::uint8_t {
  Found = 1,  // FoundRecords, one behind the other
};

// A destination to watch, and what is known of it. Times are seconds since the epoch.
struct WatchedRecord {
  std::string destination;
  std::int64_t checked_at = 0;  // by a probe, or by a delivery that showed TLS; 0 = never
  bool is_downgraded = false;
  std::int64_t failed_at = 0;    // mail failed then for want of TLS; 0 = it does not
  std::int64_t retry_after = 0;  // of its profile
  bool operator==(const WatchedRecord&) const = default;
};
void append_watched_record(std::string& out, const WatchedRecord& record);
std::optional<WatchedRecord> take_watched_record(std::string_view& bytes);

// Something happened that moves the next check. A destination that is not watched yet is from then
// on, until the next list of all.
struct WatchEvent {
  enum class Kind : std::uint8_t {
    Delivered,   // by TLS
    Failed,      // for want of TLS: the second try comes `retry_after` later
    Downgraded,  // from now on the way back is looked for
    Restored,
    Asked,  // a check is wanted at `at`
  };
  Kind kind = Kind::Asked;
  std::string destination;
  std::int64_t at = 0;
  std::int64_t retry_after = 0;
  bool operator==(const WatchEvent&) const = default;
};
void append_watch_event(std::string& out, const WatchEvent& event);
std::optional<WatchEvent> take_watch_event(std::string_view& bytes);

// What mail to a destination would come to, by level; nothing where a probe can't say
// (engine/probe_evidence.h).
struct FoundRecord {
  std::string destination;
  std::int64_t at = 0;
  std::optional<model::Outcome> encrypted;
  std::optional<model::Outcome> verified;
  std::optional<model::Outcome> secure;
  bool was_offered = false;
  std::string mx;
  bool operator==(const FoundRecord&) const = default;
};
void append_found_record(std::string& out, const FoundRecord& record);
std::optional<FoundRecord> take_found_record(std::string_view& bytes);

// What `net` counted since it started, and where it stands.
struct NetStats {
  std::uint64_t pid = 0;  // 0: it does not run
  std::uint64_t watched = 0;
  std::uint64_t waiting = 0;  // destinations being checked, those in a queue too
  std::uint64_t open = 0;     // connections
  std::uint64_t checks = 0;   // that ended
  std::uint64_t put_off = 0;  // of those: nothing could be learnt, so they come later and later
  std::uint64_t probes = 0;
  std::uint64_t refused = 0;   // addresses and names that may not be probed
  std::uint64_t evidence = 0;  // sent to `answer`
  std::uint64_t dropped = 0;   // evidence and results for which there was no room on the way
  bool operator==(const NetStats&) const = default;
};
std::string to_payload(const NetStats& stats);
std::optional<NetStats> parse_net_stats(std::string_view payload);

}  // namespace wire
