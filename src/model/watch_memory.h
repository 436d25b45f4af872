// What is remembered of a destination between two checks, and the changes that were found. Data
// only; engine/watch decides them, state.db keeps them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

// A host of the destination's MX set, as far as it is known.
struct KnownHost {
  std::string name;
  // Seconds since the epoch, 0 = never: when STARTTLS was last offered; since when it is not,
  // though it was.
  std::int64_t offered_at = 0;
  std::int64_t absent_since = 0;
  // Whoever issued certificates for it, and its public keys, the newest last.
  std::vector<std::string> issuers;
  std::vector<std::string> pins;
  bool operator==(const KnownHost&) const = default;
};

struct WatchMemory {
  static constexpr std::size_t kMostHosts = 50;
  static constexpr std::size_t kMostOfAHost = 8;  // issuers, and pins

  std::vector<KnownHost> hosts;  // by name; empty: no route was seen yet
  // Whether the level asked would deliver, by the last check that could tell, and since when it has
  // been like that.
  std::optional<bool> delivers;
  std::int64_t since = 0;
  // The certificate warning that stands: so many days ahead of this end; 0 = none.
  std::int64_t warned_days = 0;
  std::int64_t warned_of = 0;
  bool operator==(const WatchMemory&) const = default;
};

enum class WatchChangeKind : std::uint8_t {
  ComplianceLost,
  ComplianceRegained,
  MxChanged,  // another set of hosts: what is new in it is learnt anew
  StarttlsVanished,
  StarttlsBack,
  IssuerChanged,
  PinChanged,
  ExpiryWarning,
  ExpiryOver,  // the certificate was renewed, or nobody asks for it any more
};
inline constexpr std::array kWatchChangeKinds{
    WatchChangeKind::ComplianceLost, WatchChangeKind::ComplianceRegained,
    WatchChangeKind::MxChanged,      WatchChangeKind::StarttlsVanished,
    WatchChangeKind::StarttlsBack,   WatchChangeKind::IssuerChanged,
    WatchChangeKind::PinChanged,     WatchChangeKind::ExpiryWarning,
    WatchChangeKind::ExpiryOver};
// "compliance-lost", "mx-changed".
std::string_view to_word(WatchChangeKind kind);
std::optional<WatchChangeKind> parse_watch_change_kind(std::string_view word);

struct WatchChange {
  std::int64_t at = 0;
  std::string destination;
  WatchChangeKind kind = WatchChangeKind::ComplianceLost;
  std::string host;    // empty: the destination as a whole
  std::string before;  // empty: nothing was known
  std::string after;
  std::string text;  // one sentence
  bool operator==(const WatchChange&) const = default;
};

}  // namespace model
