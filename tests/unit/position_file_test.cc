#include "src/app/position_file.h"

#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"
#include "tests/unit/log_rig.h"

namespace {

// The position file of a state.db that is to be at this place, and where it is.
struct Place {
  LogFolder folder;
  std::string state_db = folder.path() + ".state.db";
  std::string file = state_db + ".maillog";
  app::PositionFile positions{state_db};

  void write(std::string_view text) const { std::ofstream(file) << text; }
};

}  // namespace

TEST_CASE("position file: at the first start there is none, and that is no error") {
  const Place place;
  const auto loaded = place.positions.load();
  REQUIRE(loaded.ok());
  CHECK_FALSE(loaded->has_value());
}

TEST_CASE("position file: another process goes on where this one was") {
  Place place;
  app::LogPosition position;
  position.inode = 7;
  position.offset = 4711;
  position.serial = 12;
  REQUIRE(place.positions.save(position).ok());
  const auto loaded = app::PositionFile(place.state_db).load();
  REQUIRE(loaded.ok());
  CHECK(*loaded == position);
}

TEST_CASE("position file: one that can't be used is told by name, not taken for a first start") {
  const Place place;
  SECTION("cut short by a power loss") {
    place.write("");
  }
  SECTION("of somebody else") {
    place.write("tlspolicyd-position 1\n");
  }
  SECTION("unreadable") {
    std::filesystem::create_directory(place.file);
  }
  const auto loaded = place.positions.load();
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().starts_with(place.file + ": "));
}
