// A probe schedule in a world where everything is carried out as soon as it is asked for.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/engine/probe_schedule.h"

namespace test {

using base::sys_seconds;
using engine::ProbeEnding;
using engine::ProbeEtiquette;
using engine::ProbeSchedule;
using engine::ProbeTarget;
using std::chrono::seconds;
using Steps = ProbeSchedule::Steps;

inline constexpr sys_seconds kStart{seconds{1'800'000'000}};
inline constexpr seconds kDay{86'400};

inline ProbeTarget target(const std::string& host, const std::string& address) {
  return {host, model::parse_address(address).value(), 25};
}

// A schedule, its clock, and who is where. Everything is carried out as soon as it is asked for.
class World {
 public:
  explicit World(ProbeEtiquette etiquette = {}, engine::OptOut opt_out = {})
      : schedule(std::move(etiquette), std::move(opt_out), 1) {}

  // Runs until nothing is due before `now + span`; says "second kind name" of all that happens.
  void run(seconds span) {
    const auto end = now + span;
    while (true) {
      settle();
      const auto due = schedule.next_due();
      if (!due || *due > end) break;
      now = std::max(now, *due);
    }
    now = end;
  }
  void settle() {
    while (true) {
      const Steps steps = schedule.take_steps(now);
      checked.insert(checked.end(), steps.checked.begin(), steps.checked.end());
      for (const auto& each : steps.checked) check_times[each.destination].push_back(now);
      for (const auto& each : steps.refused) {
        refused.push_back(each.destination + " " + each.target.host + ": " + each.reason);
      }
      if (steps.routes.empty() && steps.probes.empty()) break;
      for (const auto& name : steps.routes) {
        route_times[name].push_back(now);
        const auto found = routes.find(name);
        const auto known = found == routes.end() ? ProbeEnding::PutOff : ProbeEnding::Answered;
        schedule.take_route(
            name, found == routes.end() ? std::vector<ProbeTarget>{} : found->second, known, now);
      }
      for (const auto& each : steps.probes) {
        ++probes[each.host];
        schedule.take_result(each, ending, now);
      }
    }
  }
  // Seconds since the start at which the route of `name` was looked up.
  std::vector<std::int64_t> times_of(const std::string& name) {
    std::vector<std::int64_t> times;
    for (const auto at : route_times[name]) times.push_back((at - kStart).count());
    return times;
  }

  ProbeSchedule schedule;
  sys_seconds now = kStart;
  ProbeEnding ending = ProbeEnding::Answered;
  std::map<std::string, std::vector<ProbeTarget>> routes;
  std::map<std::string, std::vector<sys_seconds>> route_times;
  std::map<std::string, std::vector<sys_seconds>> check_times;
  std::map<std::string, int> probes;  // by host
  std::vector<ProbeSchedule::Checked> checked;
  std::vector<std::string> refused;
};

}  // namespace test
