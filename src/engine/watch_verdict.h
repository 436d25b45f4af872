// Whether the level that a row asks for would deliver, by the record of a check. Pure. Beyond
// would_deliver, which answers for shipped profiles, it minds the row: its match, its pins, the
// oldest protocol it takes. "Nothing" is "unknown" and never a polite "no".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/probe_record.h"
#include "src/model/verdict.h"

namespace engine {

// What a row asks of deliveries.
struct AskedLevel {
  model::Level level = model::Level::May;
  model::Fallback fallback = model::Fallback::Never;
  std::string profile;
  std::string match;  // of the row: names at verify and secure, pins at fingerprint; ':' between
  std::optional<model::TlsVersion> min_protocol;
  bool has_own_anchors = false;     // tafile: whom it trusts a probe can't tell
  bool has_own_servername = false;  // another certificate may be shown
  bool operator==(const AskedLevel&) const = default;
};
// Of a row that can be used; nothing where it has a fault.
std::optional<AskedLevel> asked_by(const model::PolicyRow& row);

// Destinations with such a row are watched always: stricter than `opportunistic`.
[[nodiscard]] bool is_stricter_than_opportunistic(const model::Profile& profile);

// Levels at which Postfix minds when a certificate ends.
[[nodiscard]] bool minds_expiry(model::Level level);

struct WatchVerdict {
  std::optional<bool> delivers;
  // A clause: "certificate expired"; of a "yes" where it is not one of all, "at 2 of 3 addresses".
  std::string why;
};
WatchVerdict judge_record(const AskedLevel& asked, const model::ProbeRecord& record);
// The same of one address of it.
WatchVerdict judge_peer(const AskedLevel& asked, const model::ProbedPeer& peer,
                        std::string_view destination);

}  // namespace engine
