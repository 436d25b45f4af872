#include "src/app/heartbeat.h"

#include "tests/unit/catch.h"

using app::Heartbeat;
using News = app::Heartbeat::News;

namespace {

// A look as the parent has one; true where the role is asked.
bool look(Heartbeat& heartbeat, News expected = News::None) {
  CHECK(heartbeat.on_look() == expected);
  if (!heartbeat.wants_ping()) return false;
  heartbeat.on_ping();
  return true;
}

}  // namespace

TEST_CASE("a role that answers is asked at each look and never told of") {
  Heartbeat heartbeat;
  for (int i = 0; i < 100; ++i) {
    CHECK(look(heartbeat));
    CHECK(heartbeat.on_pong() == News::None);
  }
}

TEST_CASE(
    "a role that is silent is asked once, told of once after a minute, and told of again when "
    "back") {
  Heartbeat heartbeat;
  for (int turn = 0; turn < 2; ++turn) {
    CHECK(look(heartbeat));
    for (int i = 1; i < Heartbeat::kPatience; ++i) CHECK_FALSE(look(heartbeat));
    CHECK_FALSE(look(heartbeat, News::Silent));
    for (int i = 0; i < 100; ++i) CHECK_FALSE(look(heartbeat));
    CHECK(heartbeat.on_pong() == News::Back);
    CHECK(heartbeat.on_pong() == News::None);
  }
  CHECK(Heartbeat::kPatience * Heartbeat::kLookEvery == std::chrono::minutes{1});
}

TEST_CASE("a role that can't even be asked is silent too") {
  Heartbeat heartbeat;
  for (int i = 0; i < Heartbeat::kPatience; ++i) CHECK(heartbeat.on_look() == News::None);
  CHECK(heartbeat.on_look() == News::Silent);
  CHECK(heartbeat.wants_ping());
}
