#include "src/image/sealed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "src/image/format.h"

namespace image {
namespace {

constexpr unsigned kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr std::size_t kChunk = 256 * 1024;

base::Error failed(std::string_view what) {
  const int error = errno;
  return base::Error{fmt::format("{}: {}", what, std::system_category().message(error))};
}

base::Result<base::UniqueFd> make_memfd(const char* name) {
  base::UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return failed("memfd_create");
  return fd;
}

base::Result<base::UniqueFd> with_seals(base::UniqueFd fd) {
  if (fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return failed("sealing a memfd");
  return fd;
}

// False with errno set.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// All of `from`, from its first byte, behind what is in `to`; at most `most` bytes. False with
// errno set.
bool copy_all(int from, int to, std::uint64_t most) {
  std::vector<char> chunk(kChunk);
  for (std::uint64_t at = 0; at < most;) {
    const auto room = std::min<std::uint64_t>(chunk.size(), most - at);
    const ssize_t got = pread(from, chunk.data(), room, static_cast<off_t>(at));
    if (got == 0) return true;
    if (got < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    at += static_cast<std::uint64_t>(got);
    if (!write_all(to, {chunk.data(), static_cast<std::size_t>(got)})) return false;
  }
  return true;
}

base::Result<void> write_new_file(int fd, const std::string& path, Durability durability) {
  // Not the file of an earlier attempt, which may have ended half-way.
  unlink(path.c_str());
  const base::UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failed("creating " + path);
  // The umask must not decide who may read it.
  if (fchmod(file.get(), 0640) != 0 || !copy_all(fd, file.get(), kLargestImage) ||
      (durability == Durability::Synced && fsync(file.get()) != 0)) {
    return failed("writing " + path);
  }
  // Two daemons for a moment, the old and its replacement: the later one took the name away.
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || status.st_nlink != 1) {
    return base::Error{fmt::format("writing {}: another process writes it too", path)};
  }
  return {};
}

// What the rename did must outlive a power cut as well.
base::Result<void> sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const base::UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return failed("syncing " + folder);
  return {};
}

}  // namespace

base::Result<base::UniqueFd> seal(const char* name, std::initializer_list<std::string_view> parts) {
  auto fd = make_memfd(name);
  if (!fd) return fd;
  for (const auto part : parts) {
    if (!write_all(fd->get(), part)) return failed("writing a memfd");
  }
  return with_seals(std::move(*fd));
}

base::Result<base::UniqueFd> load_sealed(const std::string& path) {
  // O_NONBLOCK, so that a FIFO under the name isn't waited for.
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failed("opening " + path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return failed("reading " + path);
  if (!S_ISREG(status.st_mode)) {
    return base::Error{fmt::format("reading {}: it is no regular file", path)};
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kLargestImage) {
    return base::Error{fmt::format("reading {}: it has {} bytes, {} are allowed", path,
                                   status.st_size, kLargestImage)};
  }
  auto fd = make_memfd("tlspolicyd-image");
  if (!fd) return fd;
  // What is appended meanwhile is not part of what was looked at.
  if (!copy_all(file.get(), fd->get(), size)) return failed("reading " + path);
  return with_seals(std::move(*fd));
}

bool is_sealed(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (static_cast<unsigned>(seals) & kSeals) == kSeals;
}

std::string read_sealed(int fd, std::size_t most) {
  if (!is_sealed(fd)) return {};
  const auto size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || static_cast<std::size_t>(size) > most) return {};
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto got = pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got <= 0) return {};
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

base::Result<void> save_atomically(int fd, const std::string& path, Durability durability) {
  const std::string temporary = path + ".new";
  if (auto written = write_new_file(fd, temporary, durability); !written) {
    unlink(temporary.c_str());
    return written;
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const auto error = failed(fmt::format("renaming {} to {}", temporary, path));
    unlink(temporary.c_str());
    return error;
  }
  return durability == Durability::Synced ? sync_folder(path) : base::Result<void>();
}

}  // namespace image
