// When a role that died is started again. Pure: the parent brings the facts and keeps the timer.
#pragma once

#include <algorithm>
#include <chrono>

namespace app {

// At once the first time, then after 1, 2, 4 ... 60 s. Only starts that came to nothing count: a
// role that served before it died is started at once, however often that happens.
class RestartPolicy {
 public:
  // How long to wait before the next start.
  std::chrono::seconds on_death(bool had_served) {
    fruitless_ = had_served ? 0 : fruitless_ + 1;
    if (fruitless_ <= 1) return std::chrono::seconds{0};
    const int doublings = std::min(fruitless_ - 2, 6);
    return std::min(std::chrono::seconds{1} * (1 << doublings), kLongestWait);
  }

  static constexpr std::chrono::seconds kLongestWait{60};

 private:
  int fruitless_ = 0;
};

}  // namespace app
