// The two clocks of a Moment, made from the time of day and a clock that only runs.
//
// `wall` follows the time of day forward and never goes back, not even over a restart; `lived` goes
// on where it stood and counts what the daemon runs. Nobody reads the time of day for a decision
// but through this.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "src/base/clock.h"
#include "src/model/evidence.h"

namespace jobs {

class LifeClock {
 public:
  // The clock outlives this.
  explicit LifeClock(const base::Clock& clock) : clock_(clock), steady_(clock.steady()) {}

  // Goes on from where the clocks stood when they were last saved.
  void resume(model::Moment saved) {
    lived_ = std::max(lived_, saved.lived);
    wall_ = std::max(wall_, saved.wall);
  }

  model::Moment now() {
    const auto steady = clock_.steady();
    const auto passed = std::chrono::floor<std::chrono::seconds>(steady - steady_);
    steady_ += passed;
    lived_ += passed.count();
    wall_ = std::max<std::int64_t>(wall_ + passed.count(), clock_.now().time_since_epoch().count());
    return {wall_, lived_};
  }

 private:
  const base::Clock& clock_;
  base::SteadyPoint steady_;
  std::int64_t wall_ = 0;
  std::int64_t lived_ = 1;
};

}  // namespace jobs
