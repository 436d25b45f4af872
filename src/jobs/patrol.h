// Goes round the destinations that are watched: asks the schedule what is due, finds the routes,
// probes the addresses, and hands on what each check found. Decides neither whom to watch nor what
// follows from a result.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/probe_schedule.h"
#include "src/engine/probe_summary.h"
#include "src/jobs/dns_desk.h"
#include "src/jobs/prober.h"
#include "src/jobs/route_search.h"
#include "src/model/mail_route.h"
#include "src/model/probed_address.h"
#include "src/net/loop.h"
#include "src/net/tls_context.h"
#include "src/wire/net_message.h"

namespace jobs {

class Patrol final : public Prober::Watcher {
 public:
  struct Settings {
    engine::ProbeEtiquette etiquette{};
    engine::OptOut opt_out{};
    std::uint64_t seed = 0;
    std::string ehlo_name{};  // empty: the address we come from
  };
  struct Checked {
    const model::Route& route;  // of the destination `route.next_hop`
    // Every address, in the order of the route; lives as long as the call. Steps, capabilities and
    // the chain above the peer's own certificate are left out.
    std::vector<engine::CheckedTarget> targets{};
    bool is_put_off = false;  // one at least did not say, or there is no route yet
    base::sys_seconds at{};
  };
  struct Counts {
    std::uint64_t checks = 0;
    std::uint64_t put_off = 0;
    std::uint64_t probes = 0;
    std::uint64_t refused = 0;
  };
  // What is remembered of addresses for other destinations that share them; the oldest go first.
  static constexpr std::size_t kMostRemembered = 64U << 20U;  // bytes, roughly

  // All outlive it. `on_checked` is called from the loop, once for each check.
  Patrol(net::Loop& loop, const base::Clock& clock, DnsDesk& desk, const net::TlsContext& tls,
         const Settings& settings, std::function<void(const Checked&)> on_checked);

  // WatchedRecords: all that is to be watched from now on.
  void take_list(std::string_view records);
  void take_event(const wire::WatchEvent& event);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const engine::ProbeSchedule& schedule() const { return schedule_; }

  void on_step(std::size_t /*index*/, const model::ProbeStep& /*step*/) override {}
  void on_done(std::size_t index, model::ProbedAddress probed) override;

 private:
  // A destination that is being checked.
  struct Journey {
    std::unique_ptr<RouteSearch> search{};  // until the route is known
    model::Route route{};
    std::map<engine::ProbeTarget, std::string> refused{};
  };
  struct Remembered {
    base::sys_seconds at{};
    std::size_t size = 0;
    std::unique_ptr<const model::ProbedAddress> probed{};
  };

  [[nodiscard]] base::sys_seconds now() const;
  void go_on();
  void find_route(const std::string& destination);
  void on_route(const std::string& destination, const model::Route& route);
  void remember(const engine::ProbeTarget& target, model::ProbedAddress probed);
  void forget_old();
  void forget_first();
  void report(const engine::ProbeSchedule::Checked& checked);

  net::Loop& loop_;
  const base::Clock& clock_;
  DnsDesk& desk_;
  std::function<void(const Checked&)> on_checked_;
  // The time of day when it began, and where the clock stood that never goes back.
  base::sys_seconds began_;
  base::SteadyPoint began_steady_;
  std::chrono::seconds remembered_for_;
  engine::ProbeSchedule schedule_;
  Counts counts_;
  std::map<std::string, Journey, std::less<>> journeys_;
  std::map<std::size_t, engine::ProbeTarget> open_;  // by the prober's numbers
  std::size_t added_ = 0;
  std::map<engine::ProbeTarget, Remembered> remembered_;
  std::deque<std::pair<base::sys_seconds, engine::ProbeTarget>> by_age_;
  std::size_t remembered_bytes_ = 0;
  Prober prober_;
  net::Timer turn_;
};

}  // namespace jobs
