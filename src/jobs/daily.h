// What is done once a day, by the calendar of UTC, so that a log has it under every date; and at
// the first chance where the service began, or could not do it, in the middle of one. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "src/base/clock.h"

namespace jobs {

class Daily {
 public:
  // Until it is done(); a clock that is set back into another day makes it due again.
  [[nodiscard]] bool is_due(base::sys_seconds now) const { return done_on_ != day_of(now); }
  void done(base::sys_seconds now) { done_on_ = day_of(now); }

 private:
  static std::chrono::sys_days day_of(base::sys_seconds now) {
    return std::chrono::floor<std::chrono::days>(now);
  }
  std::optional<std::chrono::sys_days> done_on_;
};

}  // namespace jobs
