// What watching a hundred thousand destinations costs: memory, a step where nothing is due, and a
// day of checks; one line of JSON. A quarter of them share five hosts.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>

#include "src/engine/probe_schedule.h"

namespace {

using base::sys_seconds;
using engine::ProbeEnding;
using engine::ProbeSchedule;
using engine::ProbeTarget;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kDestinations = 100'000;
constexpr sys_seconds kStart{seconds{1'800'000'000}};
constexpr seconds kDay{86'400};

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

ProbeTarget target_of(std::size_t number) {
  const std::size_t host = number % 4 == 0 ? number / 4 % 5 : number;
  ProbeTarget target{fmt::format("mx{}.bench.example", host), {}, 25};
  target.address[10] = target.address[11] = 0xff;
  target.address[12] = 9;
  target.address[13] = static_cast<std::uint8_t>(host >> 16U & 0xffU);
  target.address[14] = static_cast<std::uint8_t>(host >> 8U & 0xffU);
  target.address[15] = static_cast<std::uint8_t>(host & 0xffU);
  return target;
}

// Carries out all that is due at `now`, at once; how many checks ended.
std::size_t carry_out(ProbeSchedule& schedule, sys_seconds now) {
  std::size_t checks = 0;
  while (true) {
    const auto steps = schedule.take_steps(now);
    checks += steps.checked.size();
    if (steps.routes.empty() && steps.probes.empty()) return checks;
    for (const auto& name : steps.routes) {
      const ProbeTarget target = target_of(std::stoul(name.substr(1)));
      schedule.take_route(name, {&target, 1}, ProbeEnding::Answered, now);
    }
    for (const auto& target : steps.probes) {
      schedule.take_result(target, ProbeEnding::Answered, now);
    }
  }
}

}  // namespace

int main() {
  const auto before = resident_bytes();
  ProbeSchedule schedule({}, {}, 1);
  for (std::size_t i = 0; i < kDestinations; ++i) {
    if (!schedule.watch(fmt::format("d{:06}.bench.example", i), kStart, kStart)) return 1;
  }
  constexpr int kIdleSteps = 100'000;
  const auto idle_start = Clock::now();
  for (int i = 0; i < kIdleSteps; ++i) schedule.take_steps(kStart + seconds{i % 3600});
  const double idle = microseconds_since(idle_start) / kIdleSteps;

  const auto day_start = Clock::now();
  std::size_t checks = 0;
  for (sys_seconds now = kStart; now < kStart + kDay; now += seconds{1}) {
    checks += carry_out(schedule, now);
  }
  const double day = microseconds_since(day_start);
  const auto bytes = static_cast<double>(resident_bytes() - before);
  fmt::print(
      "{{\"watched\": {}, \"bytes_each\": {:.0f}, \"idle_step_us\": {:.3f}, \"checks_a_day\": {}, "
      "\"check_us\": {:.2f}}}\n",
      schedule.watched(), bytes / static_cast<double>(kDestinations), idle, checks,
      day / static_cast<double>(checks));
  return 0;
}
