#include "src/jobs/daily.h"

#include "tests/unit/catch.h"

namespace {

base::sys_seconds at(std::int64_t seconds) {
  return base::sys_seconds(std::chrono::seconds(seconds));
}

constexpr std::int64_t kMidnight = 1'795'305'600;  // 2026-11-22T00:00:00Z
constexpr std::int64_t kDay = 86'400;

}  // namespace

TEST_CASE("daily: it is due at the first chance, then not before the next midnight of UTC") {
  jobs::Daily daily;
  CHECK(daily.is_due(at(kMidnight + 50'000)));
  daily.done(at(kMidnight + 50'000));
  CHECK_FALSE(daily.is_due(at(kMidnight + 50'000)));
  CHECK_FALSE(daily.is_due(at(kMidnight + kDay - 1)));
  CHECK(daily.is_due(at(kMidnight + kDay)));
}

TEST_CASE("daily: what could not be done stays due, and is done once however late") {
  jobs::Daily daily;
  daily.done(at(kMidnight));
  CHECK(daily.is_due(at(kMidnight + kDay)));
  CHECK(daily.is_due(at(kMidnight + kDay + 7'200)));
  daily.done(at(kMidnight + kDay + 7'200));
  CHECK_FALSE(daily.is_due(at(kMidnight + kDay + 7'202)));
  CHECK(daily.is_due(at(kMidnight + 2 * kDay)));
}

TEST_CASE("daily: a clock set back for years keeps no day without it") {
  jobs::Daily daily;
  daily.done(at(kMidnight));
  CHECK(daily.is_due(at(kMidnight - 1)));
  daily.done(at(kMidnight - 1000 * kDay));
  CHECK_FALSE(daily.is_due(at(kMidnight - 1000 * kDay + 2)));
  CHECK(daily.is_due(at(kMidnight - 999 * kDay)));
}
