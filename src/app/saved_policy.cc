#include "src/app/saved_policy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string_view>

#include "src/app/version.h"
#include "src/base/handle.h"
#include "src/base/log.h"
#include "src/image/sealed_file.h"

namespace app {
namespace {

constexpr std::string_view kMarkEnding = ".mark";
constexpr std::size_t kLongestMark = 1024;
// A full or read-only disk is tried again after this, without waiting for another edit.
constexpr std::chrono::seconds kAgainAfter{2};

std::string line_of(std::uint64_t digest, std::string_view mark) {
  return fmt::format("{} {:016x} {}\n", kVersion, digest, mark);
}

}  // namespace

void SavedPolicy::set_file(const std::string& image_file) {
  if (image_file == file_) return;
  file_ = image_file;
  digest_ = 0;
  again_at_ = {};
  mark_.clear();
}

void SavedPolicy::follow(int image_fd, std::uint64_t digest, base::SteadyPoint now) {
  if (saving_.result.valid()) {
    // Deferred where no thread could be had: then it is done here.
    if (saving_.result.wait_for(std::chrono::seconds{0}) == std::future_status::timeout) return;
    take_result(now);
  }
  if (digest == digest_ || now < again_at_) return;
  begin(image_fd, digest);
  if (!saving_.image) note_failure("no descriptor to be had", now);
}

void SavedPolicy::finish(int image_fd, std::uint64_t digest, const store::PolicySource& source) {
  // A last try also of what failed a moment ago, and only one: of a failure `now` stays too early.
  again_at_ = {};
  constexpr base::SteadyPoint kNow{};
  follow(image_fd, digest, kNow);
  while (saving_.result.valid()) {
    saving_.result.wait();
    follow(image_fd, digest, kNow);
  }
  save_mark(source);
}

void SavedPolicy::begin(int image_fd, std::uint64_t digest) {
  // The publisher closes its own when the next policy comes.
  saving_.image.reset(::fcntl(image_fd, F_DUPFD_CLOEXEC, 0));
  if (!saving_.image) return;
  saving_.digest = digest;
  saving_.file = file_;
  saving_.result = std::async(
      [fd = saving_.image.get(), file = file_] { return image::save_atomically(fd, file); });
}

void SavedPolicy::take_result(base::SteadyPoint now) {
  const auto saved = saving_.result.get();
  saving_.image.reset();
  if (saving_.file != file_) return;  // a reload came between
  if (!saved) return note_failure(saved.error(), now);
  digest_ = saving_.digest;
  again_at_ = {};
  if (!alarm_.empty()) base::log_info("the last known good policy is saved again");
  alarm_.clear();
}

void SavedPolicy::note_failure(const std::string& why, base::SteadyPoint now) {
  const std::string alarm = fmt::format(
      "the last known good policy can't be saved: {}; answers are not affected, but a cold start "
      "without policy.db would have none or an older one",
      why);
  if (alarm != alarm_) base::log_error("{}", alarm);
  alarm_ = alarm;
  again_at_ = now + kAgainAfter;
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
  // Each edit writes one: a disk that is slow to sync must not keep the next edit waiting for it.
  return image::save_atomically(sealed->get(), fmt::format("{}{}", file_, kMarkEnding),
                                image::Durability::Cached);
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
