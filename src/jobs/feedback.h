// Closes the loop: takes evidence, keeps the states of destinations, and has decisions committed
// before an answer uses them (DESIGN section 2, "Committed state").
//
// States that are proposed but not yet acknowledged count beside the one in force: the strictest
// answer of all is given, so a downgrade that waits for the disk takes nothing back of the failures
// that wait before it. What is not acknowledged is proposed again under the same id.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/advance.h"
#include "src/engine/level_for.h"
#include "src/engine/probe_evidence.h"
#include "src/jobs/destination_table.h"
#include "src/jobs/freeze_watch.h"
#include "src/jobs/life_clock.h"
#include "src/model/evidence_totals.h"
#include "src/model/observation.h"
#include "src/model/oracle.h"
#include "src/wire/role_message.h"
#include "src/wire/state_record.h"

namespace jobs {

// Which row holds for a destination, as the policy in force has it.
class RuleBook {
 public:
  virtual ~RuleBook() = default;
  // Nothing where no row applies, or none may be used. The views hold until the policy changes.
  [[nodiscard]] virtual std::optional<engine::Rules> rules_for(std::string_view view,
                                                               const model::Key& key) = 0;
  // What a row that is not enforced would have asked of a delivery now; nothing where there is
  // none.
  [[nodiscard]] virtual std::optional<model::Asked> observed_for(std::string_view /*view*/,
                                                                 const model::Key& /*key*/) {
    return std::nullopt;
  }
};

class Feedback {
 public:
  // What feedback needs done. None of it waits.
  class Outlet {
   public:
    virtual ~Outlet() = default;
    // False where it can't be sent now; it is tried again.
    virtual bool propose(const wire::Proposal& proposal) = 0;
    // Once per change; `destination` is empty for the daemon as a whole.
    virtual void alarm(std::string_view what, std::string_view destination, std::string_view text,
                       bool is_over) = 0;
  };

  // All three outlive this. At most `most_destinations` are remembered.
  Feedback(const base::Clock& clock, RuleBook& rules, Outlet& outlet,
           std::size_t most_destinations = DestinationTable::kMost);

  // What tells this process from one that was killed within the same second: what both proposed
  // must not share an id, because the same id twice is written once.
  void set_incarnation(std::uint16_t number) { incarnation_ = number; }
  void set_freeze_limits(FreezeLimits limits) { freeze_.set_limits(limits); }

  // The level that holds for a row whose answer depends on state.
  [[nodiscard]] engine::Held level_for(const engine::Rules& rules, std::string_view view,
                                       std::string_view destination);
  // True where mail to `destination` goes to rules.reroute_to now.
  [[nodiscard]] bool is_rerouted(const engine::Rules& rules, std::string_view view,
                                 std::string_view destination);

  // One piece of evidence. True where this failure must tell the sender (fallback `bounce`).
  bool take(std::string_view view, const model::Key& key, const model::Evidence& evidence);
  // What probes of all its mail hosts found: evidence, as far as the row lets a probe tell.
  void take_finding(std::string_view view, const model::Key& key,
                    const engine::ProbeFinding& finding, std::int64_t at);
  // Whether anything was learnt of it.
  [[nodiscard]] bool knows(std::string_view view, const model::Key& key) const {
    return newest(view, key.text).version != 0;
  }
  // An admin's word. False where nothing is known of the destination.
  bool reset(std::string_view view, const model::Key& key);
  // What checks of many unrelated hosts say of our own network (engine/own_fault.h): `is_ours`
  // holds a freeze for kOwnFaultHolds seconds, and is to be said again while it lasts.
  static constexpr std::int64_t kOwnFaultHolds = 1'800;
  void take_own_fault(bool is_ours);
  // Every second or so.
  void tick();
  // Another policy is in force.
  void rules_changed();

  // The state base: what was committed. One that the parent kept serves until that of `store` has
  // been read, which may know more: until then nothing is decided by time, no state is proposed,
  // and what was seen of a destination that turns out to have another state is forgotten. After
  // that of `store` no other is taken. False where this one isn't wanted. While it is read, what
  // was there before goes on to count: nothing, or the kept one.
  enum class Base : std::uint8_t { Kept, Committed };
  bool begin_base(Base kind, model::Moment saved);
  void take_base_record(const wire::StateRecord& record);
  // It was read to its end: it counts from now on.
  void end_base();
  // It can't be read to its end: nothing of it counts, for what is not in it is not "unknown".
  void drop_base();
  [[nodiscard]] bool has_base() const { return memory_ != engine::Memory::Missing; }

  // `store` has it on disk.
  void committed(std::uint64_t id);
  // A new `store` knows of no proposal: all that are open are made again.
  void propose_again();

  [[nodiscard]] model::Moment now() { return clock_.now(); }
  [[nodiscard]] bool is_frozen() const { return is_frozen_; }
  [[nodiscard]] std::size_t known() const { return table_.size(); }
  [[nodiscard]] std::size_t open_proposals() const { return open_.size(); }
  [[nodiscard]] bool has_counts() const { return !counts_.empty(); }
  // Counted since the last call, by hour; the caller sends them on.
  std::vector<wire::CountRecord> take_counts();
  // The deliveries among them for which a row was only observed.
  std::vector<wire::ObservedRecord> take_observed();
  [[nodiscard]] std::uint64_t dropped_counts() const { return dropped_counts_; }
  // All evidence since the start, that without room to be counted by destination too.
  [[nodiscard]] const model::EvidenceTotals& evidence_totals() const { return totals_; }
  [[nodiscard]] const wire::AlarmCounts& alarms_raised() const { return alarms_raised_; }

 private:
  struct Open {
    wire::Proposal proposal;
    bool is_sent = false;
  };
  using Place = std::pair<std::string, std::string>;  // view and destination
  struct Pending {
    std::uint64_t id = 0;  // of its proposal
    model::DestinationState state;
  };

  [[nodiscard]] model::DestinationState newest(std::string_view view,
                                               std::string_view destination) const;
  void apply_to_all(const engine::Event& event);
  engine::Advanced apply(std::string_view view, const model::Key& key, const engine::Event& event);
  void settle(std::string_view view, std::string_view destination,
              const model::DestinationState& before, const engine::Advanced& advanced,
              std::int64_t at);
  [[nodiscard]] std::uint64_t next_id();
  static void put_newer(DestinationTable& table, const Place& place,
                        const model::DestinationState& state);
  [[nodiscard]] bool may_decide() const { return is_base_final_ && !coming_; }
  void forget_outdated();
  void propose(wire::Proposal proposal);
  void send(Open& open);
  void send_rest();
  void count(std::string_view view, const model::Key& key, const model::Evidence& evidence);
  void watch_freeze();
  [[nodiscard]] std::string why_frozen(bool is_frozen, std::int64_t now) const;
  void tell(std::string_view destination, const engine::Alarm& alarm,
            const engine::Advanced& advanced);
  [[nodiscard]] engine::Memory memory_of_absent() const;

  LifeClock clock_;
  RuleBook& rules_;
  Outlet& outlet_;
  std::size_t most_destinations_;
  DestinationTable table_;                         // in force: committed, or no weaker than that
  std::optional<DestinationTable> coming_;         // a base that is being read
  std::map<Place, std::vector<Pending>> pending_;  // proposed, not yet acknowledged; newest last
  std::map<std::uint64_t, Open> open_;
  FreezeWatch freeze_;
  bool is_frozen_ = false;
  engine::Memory memory_ = engine::Memory::Missing;
  bool is_base_final_ = false;
  std::uint64_t last_id_ = 0;
  std::uint64_t incarnation_ = 0;
  struct CountKey {
    std::string view;
    std::string destination;
    std::int64_t hour;
    model::Source source;
    model::Security security;
    std::optional<model::Cause> cause;
    bool is_trusted;
    auto operator<=>(const CountKey&) const = default;
  };
  struct ObservedKey {
    CountKey seen;
    model::Asked asked;
    auto operator<=>(const ObservedKey&) const = default;
  };
  static wire::CountRecord record_of(const CountKey& key, std::uint32_t count);
  std::map<CountKey, std::uint32_t> counts_;
  std::map<ObservedKey, std::uint32_t> observed_;
  std::uint64_t dropped_counts_ = 0;
  model::EvidenceTotals totals_;
  wire::AlarmCounts alarms_raised_;
};

}  // namespace jobs
