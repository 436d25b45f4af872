#include "src/app/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/unit/catch.h"

namespace {

using app::close_fence;
using app::Fence;
using app::Way;

// What `attempt` says in a process of its own, behind the fence: 0, or an errno. -1 where the
// kernel has none.
int behind_fence(std::vector<Way> ways, const std::function<int()>& attempt) {
  constexpr int kNoFence = 255;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const Fence fence = close_fence(ways, true);
    if (fence == Fence::Refused) std::abort();
    ::_exit(fence == Fence::Absent ? kNoFence : attempt());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status) == kNoFence ? -1 : WEXITSTATUS(status);
}

std::function<int()> opening(const std::string& path, int flags) {
  return [path, flags] { return ::open(path.c_str(), flags, 0600) >= 0 ? 0 : errno; };
}

class Place {
 public:
  Place() {
    std::string pattern = std::filesystem::temp_directory_path() / "landlock-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    for (const char* folder : {"ours", "theirs"}) {
      std::filesystem::create_directory(path(folder));
      std::ofstream(path(folder) + "/file") << "text";
    }
  }
  ~Place() { std::filesystem::remove_all(root_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

 private:
  std::string root_;
};

TEST_CASE("landlock: without a way no file can be opened, to read or to write") {
  const Place place;
  if (behind_fence({}, [] { return 0; }) == -1) return;  // a kernel without
  CHECK(behind_fence({}, opening("/etc/hostname", O_RDONLY)) == EACCES);
  CHECK(behind_fence({}, opening(place.path("ours/file"), O_WRONLY)) == EACCES);
  CHECK(behind_fence({}, opening(place.path("ours/new"), O_WRONLY | O_CREAT)) == EACCES);
}

TEST_CASE("landlock: a way leads into its folder alone") {
  const Place place;
  const std::vector<Way> ways{{place.path("ours"), Way::For::Writing}};
  if (behind_fence(ways, [] { return 0; }) == -1) return;
  CHECK(behind_fence(ways, opening(place.path("ours/file"), O_RDWR | O_TRUNC)) == 0);
  CHECK(behind_fence(ways, opening(place.path("ours/new"), O_RDWR | O_CREAT | O_EXCL)) == 0);
  CHECK(behind_fence(ways, [&] {
          return ::rename(place.path("ours/new").c_str(), place.path("ours/file").c_str()) == 0
                     ? 0
                     : errno;
        }) == 0);
  CHECK(behind_fence(ways, opening(place.path("theirs/file"), O_RDONLY)) == EACCES);
  CHECK(behind_fence(ways, opening(place.path("ours/../theirs/file"), O_RDONLY)) == EACCES);
  CHECK(behind_fence(ways, opening("/etc/hostname", O_RDONLY)) == EACCES);
}

TEST_CASE("landlock: a link out of the folder leads nowhere") {
  const Place place;
  const std::vector<Way> ways{{place.path("ours"), Way::For::Writing}};
  if (behind_fence(ways, [] { return 0; }) == -1) return;
  std::filesystem::create_symlink(place.path("theirs/file"), place.path("ours/link"));
  CHECK(behind_fence(ways, opening(place.path("ours/link"), O_RDONLY)) == EACCES);
}

TEST_CASE("landlock: what may be read may not be written, and a file is no folder") {
  const Place place;
  const std::vector<Way> ways{{place.path("ours"), Way::For::Reading},
                              {place.path("theirs/file"), Way::For::Reading},
                              {place.path("missing"), Way::For::Reading}};
  if (behind_fence(ways, [] { return 0; }) == -1) return;
  CHECK(behind_fence(ways, opening(place.path("ours/file"), O_RDONLY)) == 0);
  CHECK(behind_fence(ways, opening(place.path("ours/file"), O_WRONLY)) == EACCES);
  CHECK(behind_fence(ways, opening(place.path("ours/new"), O_WRONLY | O_CREAT)) == EACCES);
  CHECK(behind_fence(ways, opening(place.path("theirs/file"), O_RDONLY)) == 0);
  CHECK(behind_fence(ways, opening(place.path("theirs"), O_RDONLY | O_DIRECTORY)) == EACCES);
}

TEST_CASE("landlock: what is open already stays open") {
  const Place place;
  const int fd = ::open(place.path("ours/file").c_str(), O_RDWR);
  CHECK(behind_fence({}, [fd] { return ::write(fd, "x", 1) == 1 ? 0 : errno; }) <= 0);
  ::close(fd);
}

TEST_CASE("folders: of names, of what links lead to, each once, without those that are missing") {
  const Place place;
  std::filesystem::create_symlink(place.path("theirs/file"), place.path("ours/link"));
  const auto found = app::find_folders(
      std::array<std::string, 4>{place.path("ours/link"), place.path("ours/file"),
                                 place.path("ours/none"), place.path("none/file")});
  REQUIRE(found.size() == 2);
  CHECK(found[0].path == place.path("ours"));
  CHECK(std::filesystem::equivalent(found[1].path, place.path("theirs")));
}

TEST_CASE("folders: another one under the same name is another one") {
  const Place place;
  const std::array files{place.path("ours/file")};
  const auto before = app::find_folders(files);
  CHECK(before == app::find_folders(files));
  std::filesystem::rename(place.path("ours"), place.path("was"));
  std::filesystem::create_directory(place.path("ours"));
  CHECK_FALSE(before == app::find_folders(files));
}

}  // namespace
