// Messages are told apart, and the memory of them ends.
#include "src/jobs/recent_messages.h"

#include <string>

#include "tests/unit/catch.h"

TEST_CASE("recent messages: the second question about a message is no new message") {
  jobs::RecentMessages recent;
  for (int i = 0; i < 500; ++i) {
    CHECK(recent.add("1a2." + std::to_string(i) + ".0"));
    CHECK_FALSE(recent.add("1a2." + std::to_string(i) + ".0"));
  }
  CHECK_FALSE(recent.add("1a2.499.0"));
}

TEST_CASE("recent messages: one is forgotten only after as many others as a bucket holds") {
  jobs::RecentMessages recent;
  REQUIRE(recent.add("first"));
  for (std::size_t i = 1; i < jobs::RecentMessages::kWays; ++i) {
    recent.add(std::to_string(i));
    CHECK_FALSE(recent.add("first"));
  }
  for (int i = 0; i < 1'000'000; ++i) recent.add(std::to_string(i));
  CHECK(recent.add("first"));
}
