#include "src/app/saved_policy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "src/app/version.h"
#include "src/base/handle.h"
#include "src/base/log.h"
#include "src/image/sealed_file.h"

namespace app {
namespace {

constexpr std::string_view kMarkEnding = ".mark";
constexpr std::size_t kLongestMark = 1024;

std::string line_of(std::uint64_t digest, std::string_view mark) {
  return fmt::format("{} {:016x} {}\n", kVersion, digest, mark);
}

}  // namespace

void SavedPolicy::set_file(const std::string& image_file) {
  if (image_file == file_) return;
  file_ = image_file;
  digest_ = 0;
  mark_.clear();
}

bool SavedPolicy::save(int image_fd, std::uint64_t digest) {
  if (digest == digest_) return true;
  const auto saved = image::save_atomically(image_fd, file_);
  if (saved) {
    digest_ = digest;
    if (!alarm_.empty()) base::log_info("the last known good policy is saved again");
    alarm_.clear();
    return true;
  }
  const std::string alarm = fmt::format(
      "the last known good policy can't be saved: {}; answers are not affected, but a cold start "
      "without policy.db would have none or an older one",
      saved.error());
  if (alarm != alarm_) base::log_error("{}", alarm);
  alarm_ = alarm;
  return false;
}

void SavedPolicy::save_mark(const store::PolicySource& source) {
  const auto mark = digest_ == 0 ? std::nullopt : source.mark_of(digest_);
  if (!mark) return;
  const auto line = line_of(digest_, *mark);
  if (line == mark_) return;
  mark_ = line;  // not tried again and again: it is worth half a second of one start
  if (const auto written = write_mark(line); !written) {
    base::log_debug("the next cold start waits until policy.db is compiled: {}", written.error());
  }
}

base::Result<void> SavedPolicy::write_mark(const std::string& line) const {
  const auto sealed = image::seal("tlspolicyd-mark", {line});
  if (!sealed) return base::Error{sealed.error()};
  return image::save_atomically(sealed->get(), fmt::format("{}{}", file_, kMarkEnding));
}

bool SavedPolicy::is_current(const store::PolicySource& source, std::uint64_t digest) const {
  const auto path = fmt::format("{}{}", file_, kMarkEnding);
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<char, kLongestMark> text{};
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (got <= 0) return false;
  std::string_view line(text.data(), static_cast<std::size_t>(got));
  const auto begin = line_of(digest, {});
  const auto front = std::string_view(begin).substr(0, begin.size() - 1);
  if (!line.starts_with(front) || !line.ends_with('\n')) return false;
  line.remove_prefix(front.size());
  line.remove_suffix(1);
  return source.is_still_at(line);
}

}  // namespace app
