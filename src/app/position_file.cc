#include "src/app/position_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/base/handle.h"

namespace app {

base::Result<std::optional<LogPosition>> PositionFile::load() const {
  const base::UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::optional<LogPosition>{};
  std::array<char, 512> text{};
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (got < 0) return base::Error{fmt::format("{}: {}", path_, std::strerror(errno))};
  const auto position = parse_log_position({text.data(), static_cast<std::size_t>(got)});
  if (!position) return base::Error{fmt::format("{}: it holds no position of ours", path_)};
  return position;
}

base::Result<void> PositionFile::save(const LogPosition& position) {
  if (saved_ == position) return {};
  const std::string text = to_text(position);
  const std::string fresh = path_ + ".new";
  const auto fail = [&] { return base::Error{fmt::format("{}: {}", path_, std::strerror(errno))}; };
  base::UniqueFd fd(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return fail();
  errno = ENOSPC;
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail();
  }
  fd.reset();
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return fail();
  saved_ = position;
  return {};
}

}  // namespace app
