// What a check changes in what is remembered of a destination, and who is to be told. Pure: the
// memory and a record go in, the next memory comes out, with changes to write down and alarms to
// raise, each of them once.
//
// A check that could not tell changes nothing. What is remembered belongs to the hosts of the MX
// set: a host that is new in it is learnt anew, which is said. No answer to Postfix depends on any
// of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/watch_verdict.h"
#include "src/model/probe_record.h"
#include "src/model/watch_memory.h"

namespace engine {

// A certificate warning is raised only from a check that is no older than this: seconds.
inline constexpr std::int64_t kFreshCheck = 300;
// Days ahead of the end of a certificate, the last one last.
inline constexpr std::array<std::int64_t, 3> kWarningDays{60, 13, 4};

struct WatchQuestion {
  const model::ProbeRecord& found;
  // What the row asks for; nothing where no row applies.
  std::optional<AskedLevel> asked;
  // Deliveries of the last seven days, which would stop.
  std::int64_t weekly_deliveries = 0;
  // When TLS was last seen by a delivery, seconds since the epoch; 0 = never, or not known.
  std::int64_t tls_by_mail_at = 0;
  std::int64_t now = 0;
};

struct WatchAlarm {
  // "compliance", "certificate-expiry", "issuer-changed", "pin-changed", "mx-changed". Vanished
  // STARTTLS has its alarm in advance(), which takes what a probe saw for evidence too.
  std::string what;
  std::string text;  // one sentence, printable
  bool is_over = false;
  bool operator==(const WatchAlarm&) const = default;
};

struct WatchStep {
  model::WatchMemory memory;
  std::vector<model::WatchChange> changes;
  std::vector<WatchAlarm> alarms;
};
// `before` is null at the first check of a destination.
WatchStep watch(const model::WatchMemory* before, const WatchQuestion& question);

// When a check is wanted, however good the mail goes, because a warning falls due: seconds since
// the epoch. Nothing where none will.
std::optional<std::int64_t> next_expiry_check(const model::WatchMemory& memory,
                                              const model::ProbeRecord& last,
                                              const std::optional<AskedLevel>& asked);

}  // namespace engine
