#include "src/image/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/unit/catch.h"

using namespace image;
namespace fs = std::filesystem;

namespace {

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "sealed_file_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ / name; }
  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string content_of(int fd) {
  return read_file("/proc/self/fd/" + std::to_string(fd));
}

base::UniqueFd sealed(std::string_view content) {
  auto fd = seal("tlspolicyd-image", {content});
  REQUIRE(fd.ok());
  return std::move(*fd);
}

}  // namespace

TEST_CASE("sealed_file: what is sealed can't be written, cut or grown") {
  const auto parts = seal("tlspolicyd-image", {"one ", "", "two"});
  REQUIRE(parts.ok());
  CHECK(is_sealed(parts->get()));
  CHECK(content_of(parts->get()) == "one two");
  CHECK(pwrite(parts->get(), "x", 1, 0) == -1);
  CHECK(ftruncate(parts->get(), 1) == -1);
  CHECK(ftruncate(parts->get(), 100) == -1);
  CHECK(fcntl(parts->get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("sealed_file: a file, a pipe and no descriptor at all aren't sealed") {
  const Folder folder;
  write_file(folder / "file", "text");
  const base::UniqueFd file(open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(is_sealed(file.get()));
  CHECK_FALSE(is_sealed(-1));
}

TEST_CASE("sealed_file: a file is loaded as it is, and later edits don't reach the copy") {
  const Folder folder;
  std::string content(1'000'001, 'x');
  content[7] = '\0';
  write_file(folder / "image", content);
  const auto fd = load_sealed(folder / "image");
  REQUIRE(fd.ok());
  write_file(folder / "image", "other");
  CHECK(is_sealed(fd->get()));
  CHECK(content_of(fd->get()) == content);
}

TEST_CASE("sealed_file: what is no regular file is refused at once, by its name") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  REQUIRE(mkdir((folder / "folder").c_str(), 0700) == 0);
  for (const auto* name : {"fifo", "folder", "absent"}) {
    const auto fd = load_sealed(folder / name);
    REQUIRE_FALSE(fd.ok());
    CHECK(fd.error().find(folder / name) != std::string::npos);
  }
}

TEST_CASE("sealed_file: a file beyond the largest image is refused before it is read") {
  const Folder folder;
  write_file(folder / "huge", "");
  REQUIRE(truncate((folder / "huge").c_str(), (off_t{4} << 30) + 1) == 0);
  CHECK_FALSE(load_sealed(folder / "huge").ok());
}

TEST_CASE("sealed_file: saving replaces the file as a whole and leaves nothing beside it") {
  const Folder folder;
  const auto fd = sealed("new content");
  const auto old_mask = umask(077);
  write_file(folder / "image", "old content");
  // An earlier attempt that ended half-way.
  write_file(folder / "image.new", "half");
  const auto saved = save_atomically(fd.get(), folder / "image");
  umask(old_mask);
  REQUIRE(saved.ok());
  CHECK(read_file(folder / "image") == "new content");
  CHECK(folder.entries() == 1);
  struct stat status {};
  REQUIRE(stat((folder / "image").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0640);
}

TEST_CASE("sealed_file: a link under the temporary name isn't followed") {
  const Folder folder;
  write_file(folder / "victim", "untouched");
  REQUIRE(symlink((folder / "victim").c_str(), (folder / "image.new").c_str()) == 0);
  CHECK(save_atomically(sealed("content").get(), folder / "image").ok());
  CHECK(read_file(folder / "victim") == "untouched");
  CHECK(read_file(folder / "image") == "content");
}

TEST_CASE("sealed_file: a failure leaves what was there and nothing beside it") {
  const Folder folder;
  write_file(folder / "image", "old content");
  CHECK_FALSE(save_atomically(-1, folder / "image").ok());
  CHECK(read_file(folder / "image") == "old content");
  CHECK(folder.entries() == 1);

  REQUIRE(mkdir((folder / "taken").c_str(), 0700) == 0);
  write_file(folder / "taken/inside", "");
  const auto saved = save_atomically(sealed("content").get(), folder / "taken");
  REQUIRE_FALSE(saved.ok());
  CHECK(saved.error().find(folder / "taken") != std::string::npos);
  CHECK(folder.entries() == 2);
  CHECK_FALSE(save_atomically(sealed("content").get(), folder / "absent/image").ok());
}

TEST_CASE("sealed_file: saved and loaded again it is the same") {
  const Folder folder;
  const std::string content(700'000, 'y');
  REQUIRE(save_atomically(sealed(content).get(), folder / "image").ok());
  const auto fd = load_sealed(folder / "image");
  REQUIRE(fd.ok());
  CHECK(content_of(fd->get()) == content);
}

TEST_CASE("sealed_file: what is sealed is read whole, within the bound that was asked for") {
  CHECK(read_sealed(sealed("content").get(), 7) == "content");
  CHECK(read_sealed(sealed("content").get(), 6).empty());
  CHECK(read_sealed(sealed("").get(), 7).empty());
  CHECK(read_sealed(-1, 7).empty());
}

TEST_CASE("sealed_file: a name without a folder is one of the folder that we are in") {
  const Folder folder;
  const auto before = fs::current_path();
  fs::current_path(folder / "");
  const auto saved = save_atomically(sealed("content").get(), "image");
  fs::current_path(before);
  CHECK(saved.ok());
  CHECK(read_file(folder / "image") == "content");
}

TEST_CASE("sealed_file: of two who write one file, the one that lost the name says so") {
  const Folder folder;
  const auto fd = sealed(std::string(1'000'000, 'x'));
  std::atomic<bool> is_over = false;
  std::thread other([&] {
    while (!is_over) unlink((folder / "image.new").c_str());
  });
  std::string error;
  while (error.find("another process writes it too") == error.npos) {
    const auto saved = save_atomically(fd.get(), folder / "image");
    error = saved.ok() ? "" : saved.error();
  }
  is_over = true;
  other.join();
  CHECK_THAT(error, Catch::Matchers::StartsWith("writing " + (folder / "image.new")));
}
