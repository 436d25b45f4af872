// From what several sources saw of the same deliveries to deliveries counted once. Pure.
//
// The rule: of one destination and one hour the source is believed that knows how more of the
// deliveries ended; of equals the one that saw more; then the map `outcome`. Never their sum. The
// map sees each delivery, but not how it went where main.cf says `may`; the log tells that where
// Postfix logs it. Chosen by the hour, so that a log that is followed since yesterday hides nothing
// of the days before; a delivery whose two reports fall on either side of a full hour may count in
// both.
#pragma once

#include <cstdint>

#include "src/model/traffic.h"

namespace engine {

// What one source saw: all deliveries, and those of unknown end among them.
struct Sighting {
  std::int64_t deliveries = 0;
  std::int64_t unknown = 0;
};
// True where `one` is to be believed rather than `other`.
[[nodiscard]] bool tells_more(const Sighting& one, const Sighting& other);

// How a delivery ended. Deferred: TLS, or the peer's identity, was asked for and not to be had.
enum class Travelled : std::uint8_t { Authenticated, Encrypted, Clear, Unknown, Deferred };
[[nodiscard]] Travelled travelled_of(const model::Outcome& outcome);

// Each delivery of that hour once.
[[nodiscard]] model::Traffic count_once(const model::HourOfMail& seen);

}  // namespace engine
