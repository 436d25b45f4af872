// state.db: what the daemon remembers of destinations, what it decided, what it counted. The daemon
// alone writes it, in role `store`; the tools read it.
//
// A commit that came back is on disk (synchronous=FULL). Nothing here decides anything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/destination_state.h"
#include "src/model/inbound_record.h"
#include "src/model/observation.h"
#include "src/model/probe_record.h"
#include "src/model/submission_record.h"
#include "src/model/traffic.h"
#include "src/model/watch_memory.h"
#include "src/store/ledger.h"

namespace store {

// What one proposal changes: the state of one destination, and the decisions that led to it.
struct StateChange {
  std::string id;           // unique; the same one twice is written once
  std::string view;         // empty for the usual one
  std::string destination;  // empty: the decisions are about the daemon as a whole
  std::optional<model::DestinationState> state;
  std::vector<model::Decision> decisions;
  std::int64_t at = 0;
};

// One line of the counters.
struct EvidenceCount {
  std::string view;
  std::string destination;
  std::int64_t hour = 0;  // its first second
  model::Source source = model::Source::Outcome;
  model::Outcome outcome;
  bool is_trusted = false;
  std::int64_t count = 0;
};

// Of deliveries for which a row was only observed, and what it would have asked.
struct ObservedCount {
  EvidenceCount seen;
  model::Asked asked;
};

struct StoredState {
  std::string view;
  std::string destination;
  model::DestinationState state;
  // The row makes no state. `state` is then that of a peer which has just offered STARTTLS: what is
  // damaged must not be answered as what is unknown.
  bool is_stand_in = false;
};

// The two clocks as they last stood.
struct StoredClock {
  std::int64_t wall = 0;
  std::int64_t lived = 0;
};

// What one check of a destination changes: its record, what is remembered from now on, and the
// changes that were found.
struct ProbeUpdate {
  model::ProbeRecord record;
  model::WatchMemory memory;
  std::vector<model::WatchChange> changes;
};
struct StoredProbe {
  model::ProbeRecord record;
  model::WatchMemory memory;
  std::int64_t watched_at = 0;  // by note_watched(), or the last check
};
struct ProbeChangeRow {
  std::int64_t seq = 0;
  model::WatchChange change;
};

// What is written down of incoming and submitted mail at once.
struct InboundLog {
  std::vector<model::InboundDecision> decisions{};
  std::vector<model::InboundCount> counts{};
  std::vector<model::InboundKnown> learnt{};
  std::vector<model::SubmissionDecision> submissions{};
  [[nodiscard]] std::int64_t size() const {
    return std::ssize(decisions) + std::ssize(counts) + std::ssize(learnt) +
           std::ssize(submissions);
  }
};

class StateDb {
 public:
  // Bounds: hours of counters are kept for kKeptSeconds, at most kMostCounters rows of them
  // in each of the two tables.
  static constexpr std::int64_t kKeptSeconds = 90 * 86'400;
  static constexpr std::int64_t kMostCounters = 5'000'000;
  // Looked after each hour, and after so many at the latest.
  static constexpr std::int64_t kTrimEvery = 100'000;
  // For who needs fewer.
  void set_most_counters(std::int64_t most);

  // For an admin at a stopped daemon: the highest time of day that was seen counts no more.
  static constexpr std::string_view kForgetClock = "DELETE FROM memory WHERE name='wall'";

  // Makes the file where there is none, brings an older one to the newest schema.
  static base::Result<StateDb> open_for_daemon(const std::string& path);
  // For the tools: an error where there is none.
  static base::Result<StateDb> open_read_only(const std::string& path);
  StateDb(StateDb&&) noexcept;
  StateDb& operator=(StateDb&&) noexcept;
  ~StateDb();

  // One transaction. After an error nothing of it is written. `fatal` is set where the disk failed
  // in a way that leaves what was written unknown: the connection must not be used again.
  struct Refused {
    std::string text;
    bool is_fatal = false;
  };
  std::optional<Refused> commit(const std::vector<StateChange>& changes);
  std::optional<Refused> add_counts(const std::vector<EvidenceCount>& counts, StoredClock clock,
                                    std::int64_t now);

  std::optional<Refused> add_observed(const std::vector<ObservedCount>& counts);

  // Bounds of what is kept of incoming mail, looked after each kInboundTrimEvery records:
  // decisions, senders known, counters (beside kKeptSeconds).
  static constexpr std::int64_t kMostInbound = 100'000;
  static constexpr std::int64_t kMostInboundCounts = 500'000;
  static constexpr std::int64_t kInboundTrimEvery = 10'000;
  std::optional<Refused> add_inbound(const InboundLog& log, std::int64_t now);
  struct InboundRow {
    std::int64_t seq = 0;
    model::InboundDecision decision;
  };
  // Newest first, at most `limit`.
  base::Result<std::vector<InboundRow>> list_inbound(std::int64_t since, std::int64_t limit);
  struct SubmissionRow {
    std::int64_t seq = 0;
    model::SubmissionDecision decision;
  };
  base::Result<std::vector<SubmissionRow>> list_submissions(std::int64_t since, std::int64_t limit);
  // The counters since then without their hours: `hour` is the first one.
  struct InboundSum {
    model::InboundCount count;
    std::int64_t last_hour = 0;
  };
  base::Result<std::vector<InboundSum>> sum_inbound(std::int64_t since);
  base::Result<void> load_known(std::int64_t most,
                                const std::function<void(const model::InboundKnown&)>& visit);

  // Tables probe, probe_address, probe_change. A destination that nobody watched for
  // kKeptSeconds is forgotten, beyond kMostProbed those that were not watched longest; changes are
  // kept as long, the newest kMostProbeChanges of them. Looked after each kProbeTrimEvery updates.
  static constexpr std::int64_t kMostProbed = 500'000;
  static constexpr std::int64_t kMostProbeChanges = 200'000;
  static constexpr std::int64_t kProbeTrimEvery = 1'000;
  // For who needs fewer: of both.
  void set_most_probed(std::int64_t most);
  std::optional<Refused> add_probes(const std::vector<ProbeUpdate>& updates, std::int64_t now);
  // They are watched still, whether or not they were checked.
  std::optional<Refused> note_watched(const std::vector<std::string>& destinations,
                                      std::int64_t now);
  base::Result<std::optional<StoredProbe>> find_probe(std::string_view destination);
  // In order of destination; ends where `visit` returns false.
  base::Result<void> load_probes(const std::function<bool(StoredProbe)>& visit);
  // Newest first, at most `limit`; 0 and empty = any.
  base::Result<std::vector<ProbeChangeRow>> list_probe_changes(std::int64_t since,
                                                               std::string_view destination,
                                                               std::int64_t limit);
  // Deliveries to a destination that the counters have since then, those that failed left out.
  base::Result<std::int64_t> count_deliveries(std::string_view destination, std::int64_t since);

  // For a look at everything (overview_counts.cc): each reads an index, or stops at `limit`.
  //
  // How many destinations are in each phase but `normal`.
  struct PhaseCount {
    model::Phase phase = model::Phase::Normal;
    std::int64_t count = 0;
  };
  base::Result<std::vector<PhaseCount>> count_phases();
  // Those destinations: the downgraded and rerouted ones first, of equals the newest.
  base::Result<std::vector<StoredState>> list_away(std::int64_t limit);
  // The last checks of destinations watched since then, by what they said of the level asked.
  struct CheckCounts {
    std::int64_t compliant = 0;
    std::int64_t failing = 0;
    std::int64_t unknown = 0;
  };
  base::Result<CheckCounts> count_checks(std::int64_t watched_since);
  // Destinations among them that failed, those that do so for the longest time first.
  base::Result<std::vector<std::string>> list_failing(std::int64_t watched_since,
                                                      std::int64_t limit);
  // Certificates, the next to lapse first, each once for a host. Ends where `visit` returns false.
  struct SeenEnd {
    std::string_view destination;
    std::string_view host;
    std::int64_t not_after = 0;
  };
  base::Result<void> list_ends(const std::function<bool(const SeenEnd&)>& visit);

  base::Result<StoredClock> load_clock();
  // One remembered value, of any bytes.
  std::optional<Refused> save_text(std::string_view name, std::string_view value);
  base::Result<std::optional<std::string>> load_text(std::string_view name);
  // In order of view and destination; ends where `visit` returns false.
  base::Result<void> load_states(const std::function<bool(StoredState)>& visit);
  base::Result<std::optional<StoredState>> find_state(std::string_view view,
                                                      std::string_view destination);

  // Newest first, at most `limit`; 0 and empty = any.
  base::Result<std::vector<DecisionRow>> list_decisions(std::int64_t since,
                                                        std::string_view destination,
                                                        std::int64_t limit);
  // Oldest first, those before `until`, about one destination (empty: about any, and the daemon as
  // a whole). One at a time, for the ledger has no bound. Ends where `visit` returns false.
  base::Result<void> walk_decisions(std::string_view destination, std::int64_t until,
                                    const std::function<bool(DecisionRow)>& visit);
  base::Result<Head> head();
  base::Result<Verification> verify_ledger(std::string_view head);
  // Of one destination, newest hour first; empty = of all.
  base::Result<std::vector<EvidenceCount>> list_counts(std::string_view destination,
                                                       std::int64_t since);
  // What was seen of mail in the hours that begin at `since` or later and before `until`, of one
  // destination (empty: of all): each hour of each destination once, in that order. Ends where
  // `visit` returns false. A reader counts each delivery once by engine::count_once().
  enum class MailOrder : std::uint8_t { ByHour, ByDestination };
  base::Result<void> list_mail(std::string_view destination, std::int64_t since, std::int64_t until,
                               MailOrder order,
                               const std::function<bool(const model::HourOfMail&)>& visit);
  // Every destination that trusted evidence of mail was counted for since then, each once.
  base::Result<void> load_recent_mail(std::int64_t since,
                                      const std::function<void(std::string_view)>& visit);
  // The same of what was observed, in order of destination, view and row. Ends where `visit`
  // returns false.
  base::Result<void> list_observed(std::string_view destination, std::int64_t since,
                                   const std::function<bool(ObservedCount)>& visit);

 private:
  struct Impl;
  explicit StateDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace store
