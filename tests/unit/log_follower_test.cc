#include "src/app/log_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include "src/wire/maillog.h"
#include "tests/unit/catch.h"
#include "tests/unit/log_rig.h"

namespace {

using app::LineAge;
using app::LogFollower;
using Lines = std::vector<std::string>;

// Follows the log of `folder` from its end on.
LogFollower follow(const LogFolder& folder) {
  LogFollower follower(folder.path());
  follower.begin_at_end();
  return follower;
}

// As after a restart: another follower that goes on where this one is.
LogFollower restart(const LogFolder& folder, const LogFollower& before) {
  const auto position = app::parse_log_position(app::to_text(before.position().value()));
  LogFollower follower(folder.path());
  follower.resume(position.value());
  return follower;
}

}  // namespace

TEST_CASE("log follower: what was there before the first start is past") {
  const LogFolder folder;
  folder.append(numbered(1, 100));
  auto follower = follow(folder);
  CHECK(read_all(follower).empty());
  folder.append(numbered(101, 103));
  CHECK(read_all(follower) == expected(101, 103));
  CHECK(read_all(follower).empty());
}

TEST_CASE("log follower: a missing file is waited for and read from its beginning") {
  const LogFolder folder;
  auto follower = follow(folder);
  CHECK(read_all(follower).empty());
  CHECK(follower.trouble().find("No such file") != std::string::npos);
  CHECK_FALSE(follower.position());
  folder.append(numbered(1, 2));
  CHECK(read_all(follower) == expected(1, 2));
  CHECK(follower.trouble().empty());
}

TEST_CASE("log follower: a line counts when its end is written") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append("line");
  CHECK(read_all(follower).empty());
  const auto position = follower.position();
  CHECK(position->offset == 0);
  folder.append(" 1\nli");
  CHECK(read_all(follower) == expected(1, 1));
  CHECK(follower.position()->offset == 7);
}

TEST_CASE("log follower: none is lost and none comes twice when the file is renamed") {
  const LogFolder folder;
  folder.append("");
  auto follower = follow(folder);
  folder.append(numbered(1, 3));
  SECTION("read before the rename") {
    CHECK(read_all(follower) == expected(1, 3));
  }
  SECTION("read after the rename") {
    folder.rename("mail.log", "mail.log.1");
    CHECK(read_all(follower) == expected(1, 3));
    folder.rename("mail.log.1", "mail.log");
  }
  folder.rename("mail.log", "mail.log.1");
  folder.append(numbered(4, 5), "mail.log.1");  // the writer still has the old one open
  CHECK(read_all(follower) == expected(4, 5));
  folder.append("");
  folder.append(numbered(6, 6), "mail.log.1");
  CHECK(read_all(follower) == expected(6, 6));
  folder.append(numbered(7, 7), "mail.log.1");
  folder.append(numbered(8, 9));
  CHECK(read_all(follower) == expected(7, 9));
  folder.append(numbered(10, 10), "mail.log.1");  // by somebody who was late
  folder.append(numbered(11, 11));
  CHECK(read_all(follower) == expected(10, 11));
}

TEST_CASE("log follower: copytruncate loses nothing that the copy has") {
  const LogFolder folder;
  folder.append(numbered(1, 60));
  auto follower = follow(folder);
  folder.append(numbered(61, 62));
  CHECK(read_all(follower) == expected(61, 62));
  folder.append(numbered(63, 64));
  folder.copy("mail.log", "mail.log.1");
  folder.truncate();
  SECTION("seen while it is empty") {
    CHECK(read_all(follower) == expected(63, 64));
  }
  SECTION("seen when it is as long again") {
    std::string more;
    for (int i = 1; i <= 100; ++i) more += fmt::format("other {}\n", i);
    folder.append(more);
    const auto lines = read_all(follower);
    REQUIRE(lines.size() == 102);
    CHECK(lines[0] == "line 63");
    CHECK(lines[1] == "line 64");
    CHECK(lines[2] == "other 1");
    CHECK(lines[101] == "other 100");
    CHECK(read_all(follower).empty());
    return;
  }
  folder.append("other 1\n");
  CHECK(read_all(follower) == Lines{"other 1"});
}

TEST_CASE("log follower: a truncated file is read from its new beginning") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 9));
  CHECK(read_all(follower) == expected(1, 9));
  folder.append("half");
  CHECK(read_all(follower).empty());
  folder.truncate();
  folder.append("a\n");
  CHECK(read_all(follower) == Lines{"a"});
}

TEST_CASE("log follower: NUL bytes of a writer who goes on at his old offset are passed over") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 50'000));
  CHECK(read_all(follower).size() == 50'000);
  const auto size = std::filesystem::file_size(folder.path());
  folder.truncate();
  const int fd = ::open(folder.path().c_str(), O_WRONLY);
  REQUIRE(::pwrite(fd, "after\nnul\n", 10, static_cast<off_t>(size)) == 10);
  ::close(fd);
  CHECK(read_all(follower) == Lines{"after", "nul"});
  CHECK(follower.too_long() == 0);
}

TEST_CASE("log follower: a line that is too long is left out, not those around it") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append("before\n" + std::string(3 * app::LogSource::kPiece, 'x') + "\nafter\n");
  CHECK(read_all(follower) == Lines{"before", "after"});
  CHECK(follower.too_long() == 1);
}

TEST_CASE("log follower: a restart goes on behind the last line") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 20'000) + "line 20");
  CHECK(read_all(follower).size() == 20'000);
  folder.append("001\n");
  auto next = restart(folder, follower);
  CHECK(read_all(next) == expected(20'001, 20'001));
  SECTION("and the lines before it come again as known ones") {
    auto again = restart(folder, next);
    std::size_t known = 0;
    while (again.read_some([&](std::string_view, LineAge age) {
      REQUIRE(age == LineAge::Known);
      ++known;
    })) {
    }
    CHECK(known > 1000);
    CHECK(known < 20'000);
  }
}

TEST_CASE("log follower: what was written while nobody read is backlog, then lines are live") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 3));
  read_all(follower);
  folder.append(numbered(4, 4));
  auto next = restart(folder, follower);
  std::vector<LineAge> ages;
  const auto take = [&](std::string_view, LineAge age) { ages.push_back(age); };
  while (next.read_some(take)) {
  }
  folder.append(numbered(5, 5));
  while (next.read_some(take)) {
  }
  CHECK(ages == std::vector{LineAge::Known, LineAge::Known, LineAge::Known, LineAge::Backlog,
                            LineAge::Live});
}

TEST_CASE("log follower: a restart finds the files of the rotations in between") {
  const LogFolder folder;
  folder.append("of long ago\n", "mail.log.2");
  auto follower = follow(folder);
  folder.append(numbered(1, 3));
  CHECK(read_all(follower) == expected(1, 3));
  folder.append(numbered(4, 5));
  SECTION("renamed once") {
    folder.rename("mail.log", "mail.log.1");
    folder.append(numbered(6, 7));
  }
  SECTION("renamed twice") {
    folder.rename("mail.log", "mail.log.2");
    folder.append(numbered(6, 6), "mail.log.1");
    folder.append(numbered(7, 7));
  }
  SECTION("copied and truncated") {
    folder.copy("mail.log", "mail.log.1");
    folder.truncate();
    folder.append(numbered(6, 7));
  }
  SECTION("somebody made a copy of his own") {
    folder.copy("mail.log", "mail.log.bak");
    folder.rename("mail.log", "mail.log.1");
    folder.append(numbered(6, 7));
  }
  auto next = restart(folder, follower);
  CHECK(read_all(next) == expected(4, 7));
  auto third = restart(folder, next);
  CHECK(read_all(third).empty());
}

TEST_CASE("log follower: where the file is gone altogether the new one is read, and it is said") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 3));
  read_all(follower);
  std::filesystem::remove(folder.path());
  folder.append("new\n");
  auto next = restart(folder, follower);
  CHECK(next.trouble().empty());
  CHECK(next.take_loss().find("delaycompress") != std::string::npos);
  CHECK(next.take_loss().empty());
  CHECK(read_all(next) == Lines{"new"});
}

TEST_CASE(
    "log follower: a file that can't be opened at a restart is waited for, and none is lost") {
  const LogFolder folder;
  auto follower = follow(folder);
  folder.append(numbered(1, 3));
  read_all(follower);
  folder.append(numbered(4, 5));
  folder.rename("mail.log", "away");
  std::string why = "No such file";
  SECTION("there is none") {}
  SECTION("there is one that can't be read") {
    // Nobody is kept from it by its mode where the tests run as root.
    std::filesystem::create_symlink("mail.log", folder.path());
    why = "symbolic links";
  }
  auto next = restart(folder, follower);
  CHECK(next.take_loss().empty());
  CHECK(read_all(next).empty());
  CHECK(next.trouble().find(why) != std::string::npos);
  CHECK(next.take_loss().empty());
  CHECK_FALSE(next.position());
  std::filesystem::remove(folder.path());
  SECTION("it comes back") {
    folder.rename("away", "mail.log");
    CHECK(read_all(next) == expected(4, 5));
    CHECK(next.trouble().empty());
    CHECK(next.take_loss().empty());
    folder.append(numbered(6, 6));
    CHECK(read_all(next) == expected(6, 6));
  }
  SECTION("it was renamed meanwhile") {
    folder.rename("away", "mail.log.1");
    folder.append(numbered(6, 7));
    CHECK(read_all(next) == expected(4, 7));
    CHECK(next.take_loss().empty());
  }
  SECTION("another one comes") {
    folder.append("new\n");
    CHECK(read_all(next) == Lines{"new"});
    CHECK(next.take_loss().find("delaycompress") != std::string::npos);
  }
}

TEST_CASE("log follower: a position is read back as it was written, and nothing else is one") {
  app::LogPosition position;
  position.device = 1;
  position.inode = 2;
  position.offset = 3;
  position.serial = 4;
  position.head_size = 5;
  position.head_digest = std::string(64, 'a');
  position.cursor = GENERATE(std::string(), std::string("s=1;i=2"));
  const auto text = app::to_text(position);
  CHECK(app::parse_log_position(text) == position);
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK_FALSE(app::parse_log_position(text.substr(0, length)));
  }
  CHECK_FALSE(app::parse_log_position(text + text));
  CHECK_FALSE(app::parse_log_position("tlspolicyd-maillog-1 1 2 -3 4 5 a\n"));
}
