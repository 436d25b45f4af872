#include "src/app/libraries.h"

#include "tests/unit/catch.h"

namespace {

using app::find_old;
using app::Library;

bool is_old(const char* version, const char* oldest) {
  return !find_old(std::vector<Library>{{"libx", version, oldest}}).empty();
}

TEST_CASE("libraries: a version is older by its first number that differs") {
  CHECK(is_old("2.1.11-stable", "2.1.12"));
  CHECK(is_old("1.9.30", "2.1.12"));
  CHECK(is_old("3.9.1", "3.40.1"));
  CHECK_FALSE(is_old("2.1.12-stable", "2.1.12"));
  CHECK_FALSE(is_old("3.46.1", "3.40.1"));
  CHECK_FALSE(is_old("10.0", "9.99.99"));
}

TEST_CASE("libraries: what names no version is taken for old") {
  CHECK(is_old("unknown", "2.5.4"));
  CHECK(is_old("", "2.5.4"));
}

TEST_CASE("libraries: the sentence names the library, its version and the oldest that will do") {
  const auto found =
      find_old(std::vector<Library>{{"SQLite", "3.8.0", "3.40.1"}, {"libx", "2", "1"}});
  REQUIRE(found.size() == 1);
  CHECK(found.front().starts_with("SQLite 3.8.0 is older than 3.40.1: upgrade it"));
}

TEST_CASE("libraries: those that the tests run with will do") {
  const auto used = app::libraries_in_use();
  REQUIRE(used.size() == 5);
  CHECK(find_old(used).empty());
  CHECK(app::list(used).starts_with("libevent 2."));
}

}  // namespace
