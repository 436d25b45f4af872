// Which destinations to probe now: watched ones once a day, sooner where mail saw a failure or a
// downgrade waits to be over, later where a delivery has shown the same or a host asked us to come
// again. Pure: events and time in, steps out; the same ones with the same seed give the same steps.
// Times are of a clock that never goes back, or one that jumped ahead and back would leave checks
// due in years.
//
// A check of a destination has two steps: its route is looked up, then each of its hosts' addresses
// is connected to, or known from another destination's check. Whoever carries a step out reports
// its end, always and once: what is never reported is never given back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/opt_out.h"
#include "src/engine/probe_targets.h"
#include "src/model/client_match.h"

namespace engine {

using std::chrono::seconds;

struct ProbeEtiquette {
  std::size_t at_once = 20;       // connections, and routes being looked up
  std::size_t in_hand = 200;      // destinations being checked, those that wait for others too
  std::size_t watched = 500'000;  // destinations; a further one is not watched
  // A daily check comes this long after the last one, less a random part of up to `jitter`: an hour
  // is left for the queue.
  seconds interval{23 * 3600};
  seconds jitter{6 * 3600};
  seconds first_within{3600};     // of a destination that nothing is known of
  seconds gap{600};               // between two checks of a destination, whatever happens
  seconds way_back{900};          // between checks while it is downgraded
  seconds shared_for{12 * 3600};  // how long a daily check takes a result of another's
  seconds first_back_off{900};    // after 4xx or no answer; doubled each time
  seconds longest_back_off{86'400};
  // Networks that may be probed though they are private or reserved (config key probe_allow).
  std::vector<model::Network> allowed{};
};

class ProbeSchedule {
 public:
  struct Checked {
    std::string destination;
    std::vector<ProbeTarget> targets;  // whose last results are what is known now
    bool is_put_off = false;           // one of them at least did not say, or there is no route yet
  };
  // What was left out, and why: "private use", "it is on the opt-out list".
  struct Refused {
    std::string destination;
    ProbeTarget target;
    std::string reason;
  };
  struct Steps {
    std::vector<std::string> routes;  // to look up: report by take_route()
    std::vector<ProbeTarget> probes;  // to connect to: report by take_result()
    std::vector<Checked> checked;     // checks that ended since the last steps
    // Given up once their route was known, as a host has too many waiting: their turn comes again.
    std::vector<std::string> put_back;
    std::vector<Refused> refused;
  };

  ProbeSchedule(ProbeEtiquette etiquette, OptOut opt_out, std::uint64_t seed);

  // Watches `destination`, last checked at `checked` where that is known. False where no more are
  // taken.
  bool watch(std::string_view destination, std::optional<base::sys_seconds> checked,
             base::sys_seconds now);
  // One that is being checked goes when the check is over.
  void unwatch(std::string_view destination);

  // A list of all that is to be watched: what watch() isn't called for between the two goes, but
  // for what was asked for or failed, which goes with the first list after that check.
  void begin_list();
  void end_list();

  // A delivery showed that TLS works: no daily check is needed until a day later. Others stay.
  void take_delivery(std::string_view destination, base::sys_seconds at);
  // Mail failed for want of TLS: the second try comes `retry_after` later.
  void take_failure(std::string_view destination, base::sys_seconds at, seconds retry_after);
  // From now on the way back is looked for, or no longer.
  void set_downgraded(std::string_view destination, bool is_downgraded, base::sys_seconds now);
  // A check no later than `at`, for whatever reason; the gap and the back-off hold still.
  void ask_for(std::string_view destination, base::sys_seconds at);

  // What to do now. Costs by what it returns, not by what is watched.
  Steps take_steps(base::sys_seconds now);
  // The route of a destination that was to be looked up. Without targets: `ending` says whether it
  // is known that there are none.
  void take_route(std::string_view destination, std::span<const ProbeTarget> targets,
                  ProbeEnding ending, base::sys_seconds now);
  void take_result(const ProbeTarget& target, ProbeEnding ending, base::sys_seconds now);

  // When the next check is due, if nothing else happens.
  [[nodiscard]] std::optional<base::sys_seconds> next_due() const;
  [[nodiscard]] std::size_t watched() const { return ids_.size(); }
  [[nodiscard]] std::size_t open_probes() const { return targets_.open(); }
  // Destinations being checked, those that wait for others too.
  [[nodiscard]] std::size_t in_hand() const { return in_hand_; }

 private:
  using Id = ProbeTargets::Waiter;
  enum class Phase : std::uint8_t { Idle, Routing, Probing };
  struct Destination {
    const std::string* name = nullptr;  // the key of ids_
    Phase phase = Phase::Idle;
    bool is_downgraded = false;
    bool is_gone = false;
    bool is_listed = true;
    bool is_daily = true;  // of the check that is due: nothing special is awaited
    base::sys_seconds due{};
    base::sys_seconds not_before{};   // the gap and the back-off
    base::sys_seconds known_since{};  // results from then on will do, for a check that isn't daily
    std::optional<base::sys_seconds> asked_for{};  // while it was being checked
    seconds back_off{0};                           // the last one
    std::uint32_t waits_for = 0;                   // targets
    std::vector<ProbeTarget> targets{};
  };

  Destination* find(std::string_view name);
  seconds random_up_to(seconds most);
  void set_due(Id id, base::sys_seconds due);
  void hasten(std::string_view name, base::sys_seconds at, base::sys_seconds known_since);
  void start_check(Id id, base::sys_seconds now, Steps& steps);
  [[nodiscard]] ProbeTargets::Freshness freshness_of(const Destination& destination,
                                                     base::sys_seconds now) const;
  void start_probing(Id id, base::sys_seconds now);
  void end_check(Id id, bool is_put_off, base::sys_seconds now);
  void schedule_next(Destination& destination, bool is_put_off, base::sys_seconds now);
  void forget(Id id);
  std::vector<ProbeTarget> allowed_of(std::string_view name, std::span<const ProbeTarget> targets);

  ProbeEtiquette etiquette_;
  OptOut opt_out_;
  std::mt19937_64 random_;
  std::vector<Destination> destinations_;
  std::vector<Id> free_;
  std::unordered_map<std::string, Id> ids_;
  std::set<std::pair<base::sys_seconds, Id>> due_;  // those that are idle
  ProbeTargets targets_;
  std::size_t routing_ = 0;
  std::size_t in_hand_ = 0;
  Steps ended_;  // what the next steps report
};

}  // namespace engine
