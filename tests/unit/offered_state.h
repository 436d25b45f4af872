// A moment at which the clock stands still, and a peer that has just offered STARTTLS.
#pragma once

#include <string>
#include <utility>

#include "src/base/clock.h"
#include "src/wire/state_record.h"

namespace test {

inline constexpr std::int64_t kNow = 1'800'000'000;

struct StillClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(kNow));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

inline wire::StateRecord offered(std::string destination) {
  wire::StateRecord record;
  record.destination = std::move(destination);
  record.state.version = 5;
  record.state.offered_at = kNow - 60;
  record.state.offered_lived = 1;
  return record;
}

}  // namespace test
