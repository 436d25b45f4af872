#include "src/app/restart_policy.h"

#include "tests/unit/catch.h"

using app::RestartPolicy;
using std::chrono::seconds;

TEST_CASE("a role that served is started again at once, however often it dies") {
  RestartPolicy policy;
  for (int i = 0; i < 50; ++i) CHECK(policy.on_death(true) == seconds{0});
}

TEST_CASE("a role that never serves is started again at once, then after 1, 2, 4 ... 60 s") {
  RestartPolicy policy;
  for (const int wait : {0, 1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    CHECK(policy.on_death(false) == seconds{wait});
  }
}

TEST_CASE("one start that serves takes back the patience") {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) static_cast<void>(policy.on_death(false));
  CHECK(policy.on_death(true) == seconds{0});
  CHECK(policy.on_death(false) == seconds{0});
  CHECK(policy.on_death(false) == seconds{1});
}
