#include "src/base/clock.h"

#include <ctime>

#include "tests/unit/catch.h"

namespace {

std::time_t exact_second() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec;
}

}  // namespace

// What SQLite's triggers and Postfix write down is exact; a second of ours that came behind would
// make a row expire, or a decision have been made, before it was asked for. The clock of the
// kernel's ticks is behind at the turn of a second, and only there.
TEST_CASE("the wall clock is not behind another program's at the turn of a second") {
  for (int turn = 0; turn < 3; ++turn) {
    const auto second = exact_second();
    std::time_t exact = second;
    auto ours = base::SystemClock{}.now();
    while (exact == second) {
      exact = exact_second();
      ours = base::SystemClock{}.now();
    }
    CHECK(ours.time_since_epoch().count() >= exact);
  }
}

TEST_CASE("a time is shown in UTC, to the second") {
  CHECK(base::iso_time(base::sys_seconds{}) == "1970-01-01T00:00:00Z");
  CHECK(base::iso_time(base::sys_seconds(std::chrono::seconds(1'709'251'199))) ==
        "2024-02-29T23:59:59Z");
}
