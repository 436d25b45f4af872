// What there is to see of a running service, at one moment: what /metrics, the page for people and
// `tlspolicyctl status` show. Data only, bounded; role `store` gathers it, src/show renders it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/model/cause.h"
#include "src/model/evidence.h"

namespace model {

// Bounds of the lists; what is left out is counted beside them.
inline constexpr std::size_t kMostShownDowngrades = 100;
inline constexpr std::size_t kMostShownPartners = 50;
inline constexpr std::size_t kMostShownCertificates = 30;
inline constexpr std::size_t kMostShownDecisions = 30;
inline constexpr std::size_t kMostShownTroubles = 50;

// Times are seconds since the epoch, 0 = never or not known. No text here is a peer's own that was
// not filtered; a renderer escapes them all the same.
struct Overview {
  std::int64_t at = 0;  // when it was gathered
  std::string host;
  std::string version;
  std::string mode;              // enforce, observe: the one that holds now
  std::int64_t panic_until = 0;  // that mode is an admin's panic and ends then
  // Each a sentence that says what to do; the first ones are the gravest.
  std::vector<std::string> troubles;
  std::uint64_t troubles_left_out = 0;

  struct Image {
    std::string digest;
    std::int64_t built_at = 0;
    std::uint64_t rows = 0;
    std::uint64_t faulty_rows = 0;
    std::uint64_t profiles = 0;
    std::uint64_t inbound_rules = 0;
    std::uint64_t submission_rules = 0;
  };
  std::optional<Image> image;  // none: every answer is TEMP
  std::string policy_state;    // starting, live, waiting, trouble
  // How long a change of policy.db that was noticed has not been in force; 0: nothing waits.
  std::int64_t policy_waits_since = 0;

  struct RoleState {
    std::string name;      // answer, store, ingest, net, http
    std::int64_t pid = 0;  // 0: it does not run
    std::uint64_t restarts = 0;
  };
  std::vector<RoleState> roles;

  // What was answered, since `answer` started. `map` is a name of the contract ("policy", "strict",
  // "outcome"), versions and views folded together, or "other"; `status` OK, NOTFOUND, TEMP, PERM.
  struct Answers {
    std::string map;
    std::string status;
    std::uint64_t count = 0;
  };
  std::vector<Answers> answers;
  // From the request read to the reply handed to the kernel, of one request in 16 (the first, the
  // 17th, ...). Not cumulative; the last bucket has what took longer than any bound.
  static constexpr std::array<double, 9> kLatencyBounds{10e-6, 25e-6, 50e-6,  100e-6, 250e-6,
                                                        1e-3,  10e-3, 100e-3, 1.0};
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency{};
  double latency_sum = 0;  // seconds
  std::uint64_t connections = 0;
  std::uint64_t malformed = 0;
  std::uint64_t stalled = 0;
  std::uint64_t policyd_requests = 0;

  // Of mail and probes, by what became of them; cause nothing where TLS worked or was not used.
  struct EvidenceCount {
    Source source = Source::Outcome;
    Outcome outcome;
    std::uint64_t count = 0;  // since `answer` started
  };
  std::vector<EvidenceCount> evidence;
  std::uint64_t orphans = 0;
  std::uint64_t untrusted = 0;
  // What had no room, by where: "answer", "ingest", "net", "tlsrpt-tee".
  struct Drops {
    std::string where;
    std::uint64_t count = 0;
  };
  std::vector<Drops> drops;
  std::uint64_t datagrams_refused = 0;
  bool is_log_missing = false;
  bool is_frozen = false;

  // Destinations of which something is remembered, by phase: normal, downgraded, rerouted,
  // probation, trial.
  struct PhaseCount {
    std::string phase;
    std::uint64_t count = 0;
  };
  std::vector<PhaseCount> phases;

  struct Downgrade {
    std::string destination;
    std::string view;
    std::string phase;  // downgraded, rerouted, probation, trial
    std::string from;   // level, or empty
    std::string to;
    std::int64_t since = 0;
    std::int64_t until = 0;
    std::string why;  // one sentence
    std::int64_t affected = 0;
  };
  std::vector<Downgrade> downgrades;  // longest standing last
  std::uint64_t downgrades_total = 0;

  // A destination that does not do the TLS asked of it: by the last check, or by failed deliveries
  // in the last day.
  struct Partner {
    std::string destination;
    std::string mx;     // empty: the destination as a whole
    std::string cause;  // RFC 8460 result type, or empty
    std::string text;   // one sentence
    std::int64_t since = 0;
    std::uint64_t deferred = 0;  // deliveries of the last day that failed for TLS
  };
  std::vector<Partner> partners;
  std::uint64_t partners_total = 0;

  struct Certificate {
    std::string destination;
    std::string host;
    std::int64_t not_after = 0;
    std::string issuer;
  };
  // Of watched destinations whose level minds when a certificate ends; the next to lapse first.
  std::vector<Certificate> certificates;
  // Of all of them: lapsed, and those that end within so many days, not cumulative; the last has
  // the rest.
  static constexpr std::array<int, 6> kCertificateDays{0, 4, 13, 30, 60, 90};
  std::array<std::uint64_t, kCertificateDays.size() + 1> certificates_by_days{};

  // The last kTrafficHours hours, the oldest first, each hour there; the last one is running.
  static constexpr std::size_t kTrafficHours = 24;
  struct Hour {
    std::int64_t start = 0;
    std::uint64_t authenticated = 0;  // TLS with a certificate that matched
    std::uint64_t encrypted = 0;      // TLS without
    std::uint64_t clear = 0;
    std::uint64_t unknown = 0;
    std::uint64_t deferred = 0;  // for TLS
  };
  std::vector<Hour> traffic;

  struct Decided {
    std::int64_t seq = 0;
    std::int64_t at = 0;
    std::string kind;
    std::string destination;
    std::string from;
    std::string to;
    std::string why;
    std::int64_t until = 0;
  };
  std::vector<Decided> decisions;  // newest first

  struct Checks {
    std::uint64_t watched = 0;
    std::uint64_t checks = 0;
    std::uint64_t put_off = 0;
    std::uint64_t probes = 0;
    std::uint64_t refused = 0;
    // Of the last check of each watched destination, against what its row asks.
    std::uint64_t compliant = 0;
    std::uint64_t failing = 0;
    std::uint64_t unknown = 0;
  };
  std::optional<Checks> checks;  // none: nothing is watched
};

}  // namespace model
