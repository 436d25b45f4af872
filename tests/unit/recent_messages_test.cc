// Messages are told apart, and the memory of them ends.
#include "src/jobs/recent_messages.h"

#include <string>

#include "tests/unit/catch.h"

namespace {

bool add(jobs::RecentMessages& recent, const std::string& message) {
  return recent.add(recent.look_ahead(message));
}

}  // namespace

TEST_CASE("recent messages: the second question about a message is no new message") {
  jobs::RecentMessages recent;
  for (int i = 0; i < 500; ++i) {
    CHECK(add(recent, "1a2." + std::to_string(i) + ".0"));
    CHECK_FALSE(add(recent, "1a2." + std::to_string(i) + ".0"));
  }
  CHECK_FALSE(add(recent, "1a2.499.0"));
}

TEST_CASE("recent messages: one is forgotten only after as many others as a bucket holds") {
  jobs::RecentMessages recent;
  REQUIRE(add(recent, "first"));
  for (std::size_t i = 1; i < jobs::RecentMessages::kWays; ++i) {
    add(recent, std::to_string(i));
    CHECK_FALSE(add(recent, "first"));
  }
  for (int i = 0; i < 1'000'000; ++i) add(recent, std::to_string(i));
  CHECK(add(recent, "first"));
}
