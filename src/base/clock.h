// Time, asked for through an interface, so that a decision can be tested at any second of any year.
//
// Whoever decides by time takes `now` as a value; only the edges hold a Clock.
#pragma once

#include <chrono>
#include <string>

namespace base {

using std::chrono::sys_seconds;
using SteadyPoint = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: what `expires_at` is compared with.
  [[nodiscard]] virtual sys_seconds now() const = 0;
  // Never goes back: deadlines and ages.
  [[nodiscard]] virtual SteadyPoint steady() const = 0;
};

// The host's clocks. The wall clock is exact: its seconds are written down beside those of SQLite
// and Postfix, and must not be behind them. The steady one is as of the kernel's last tick, up to
// 10 ms ago.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] sys_seconds now() const override;
  [[nodiscard]] SteadyPoint steady() const override;
};

// "2026-11-22T08:15:00Z", whatever the time zone of the host is.
std::string iso_time(sys_seconds at);

}  // namespace base
