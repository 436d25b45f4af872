#include "src/app/log_follower.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "src/base/text.h"

namespace app {
namespace {

constexpr std::string_view kFormat = "tlspolicyd-maillog-1";
constexpr std::size_t kLongestCursor = 300;
constexpr std::string_view kNone = "-";
constexpr std::size_t kMostSiblings = 64;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

void close_folder(DIR* folder) noexcept {
  ::closedir(folder);
}

bool is_compressed(std::string_view name) {
  constexpr std::array<std::string_view, 5> kEndings{".gz", ".xz", ".bz2", ".zst", ".Z"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [name](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

std::string to_text(const LogPosition& position) {
  return fmt::format("{} {} {} {} {} {} {} {}\n", kFormat, position.device, position.inode,
                     position.offset, position.serial, position.head_size,
                     position.head_digest.empty() ? kNone : position.head_digest,
                     position.cursor.empty() ? kNone : position.cursor);
}

std::optional<LogPosition> parse_log_position(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  const auto words = base::split(text.substr(0, text.size() - 1), " ");
  if (words.size() != 8 || words[0] != kFormat || words[6].size() > 64 ||
      words[7].size() > kLongestCursor) {
    return std::nullopt;
  }
  std::array<std::uint64_t, 5> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = base::parse_number<std::uint64_t>(words[i + 1]);
    if (!number || *number > (std::uint64_t{1} << 63U) - 1) return std::nullopt;
    numbers[i] = *number;
  }
  LogPosition position;
  position.device = numbers[0];
  position.inode = numbers[1];
  position.offset = numbers[2];
  position.serial = numbers[3];
  position.head_size = numbers[4];
  if (words[6] != kNone) position.head_digest = words[6];
  if (words[7] != kNone) position.cursor = words[7];
  return position;
}

void LogFollower::begin_at_end() {
  current_ = LogSource::open(path_);
  if (current_) current_->start_at_end();
}

std::vector<LogFollower::Sibling> LogFollower::list_siblings() const {
  std::vector<Sibling> found;
  const auto slash = path_.rfind('/');
  const std::string folder = slash == 0 ? "/" : path_.substr(0, slash);
  const std::string name = path_.substr(slash + 1);
  const base::Handle<DIR, close_folder> entries(::opendir(folder.c_str()));
  if (!entries) return found;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view other(&entry->d_name[0]);
    if (!other.starts_with(name) || is_compressed(other)) continue;
    std::string path = fmt::format("{}/{}", folder, other);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    found.push_back({std::move(path), status.st_dev, status.st_ino,
                     status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec});
    if (found.size() >= kMostSiblings) break;
  }
  std::sort(found.begin(), found.end(),
            [](const Sibling& a, const Sibling& b) { return a.written < b.written; });
  return found;
}

std::optional<LogSource> LogFollower::find(const LogPosition& position, std::int64_t& written,
                                           bool& is_named) {
  auto siblings = list_siblings();
  // Its own inode first: a copy may begin with the same bytes.
  std::stable_partition(siblings.begin(), siblings.end(), [&](const Sibling& sibling) {
    return sibling.inode == position.inode && sibling.device == position.device;
  });
  for (const Sibling& sibling : siblings) {
    const bool is_same_inode = sibling.inode == position.inode && sibling.device == position.device;
    if (!is_same_inode && position.head_size == 0) continue;
    auto source = LogSource::open(sibling.path);
    if (!source || source->size().value_or(0) < position.offset) continue;
    if (!source->has_head(position.head_size, position.head_digest)) continue;
    written = sibling.written;
    is_named = sibling.path == path_;
    return source;
  }
  return std::nullopt;
}

void LogFollower::queue_newer_than(std::int64_t written, const LogPosition& position) {
  for (const Sibling& sibling : list_siblings()) {
    if (sibling.path == path_ || sibling.written < written) continue;
    const auto source = LogSource::open(sibling.path);
    if (!source || source->inode() == current_->inode()) continue;
    const bool is_copy =
        position.head_size > 0 && source->has_head(position.head_size, position.head_digest);
    if (!is_copy) between_.push_back(sibling.path);
  }
}

void LogFollower::resume(const LogPosition& position) {
  is_backlog_ = true;
  if (!go_on(position)) awaited_ = position;
}

void LogFollower::tell_unopened() {
  trouble_ =
      fmt::format("{}: {}; evidence from the mail log waits for it{}", path_, std::strerror(errno),
                  errno == EACCES ? ". Is the daemon's user in the file's group?" : "");
}

bool LogFollower::resume_awaited() {
  // While there is nothing under the name, the files beside it aren't searched each time.
  if (!LogSource::open(path_)) {
    tell_unopened();
    return false;
  }
  if (!go_on(*awaited_)) return false;
  awaited_.reset();
  trouble_.clear();
  return true;
}

// False where the file can't be opened now: as long as that is so, nothing is known to be lost.
bool LogFollower::go_on(const LogPosition& position) {
  auto named = LogSource::open(path_);
  std::int64_t written = 0;
  bool is_named = false;
  current_ = find(position, written, is_named);
  if (!current_) {
    if (!named) return false;
    // What stands under the name was begun since.
    loss_ = fmt::format(
        "{}: what was read last is gone; lines of the time in between may be lost. Let logrotate "
        "keep the last file uncompressed (delaycompress)",
        path_);
    return move_to(std::move(named), true);
  }
  if (!is_named) queue_newer_than(written, position);
  const auto again = std::min(position.offset, kReadAgain);
  current_->start_at(position.offset - again, position.offset);
  current_->begin_backlog();
  return true;
}

bool LogFollower::move_to(std::optional<LogSource> next, bool is_backlog) {
  if (!next) return false;
  if (current_) too_long_ += current_->too_long();
  current_ = std::move(next);
  if (is_backlog) current_->begin_backlog();
  return true;
}

bool LogFollower::read_former(const TakeLine& take) {
  if (!former_) return false;
  if (former_->read_some(take) == LogSource::Step::Some) return true;
  is_former_unread_ = false;
  if (++former_looks_ > kFormerLooks) {
    too_long_ += former_->too_long();
    former_.reset();
  }
  return false;
}

// copytruncate: what was not read yet before the truncation stands in the copy.
void LogFollower::keep_rest_of_copy() {
  LogPosition before;
  before.offset = current_->offset();
  before.head_size = current_->head_size();
  before.head_digest = current_->head_digest();
  std::int64_t written = 0;
  bool is_named = false;
  auto copy = before.head_size == 0 ? std::nullopt : find(before, written, is_named);
  if (!copy || is_named) return;
  copy->start_at(before.offset, 0);
  former_ = std::move(copy);
  former_looks_ = 0;
  is_former_unread_ = true;
}

// At the end of the current file: is there another one under the name by now? True where it is.
bool LogFollower::follow_name() {
  while (!between_.empty()) {
    const auto path = std::exchange(between_.front(), {});
    between_.pop_front();
    if (move_to(LogSource::open(path), true)) return true;
  }
  auto named = LogSource::open(path_);
  if (!named) {
    tell_unopened();
    return false;
  }
  trouble_.clear();
  if (current_ && named->inode() == current_->inode() && named->device() == current_->device()) {
    return false;
  }
  // While nothing is in it, the old one is still written to.
  if (current_ && named->size().value_or(0) == 0) return false;
  if (current_) {
    former_ = std::move(current_);
    current_.reset();
    former_looks_ = 0;
    is_former_unread_ = true;
  }
  return move_to(std::move(named), is_backlog_);
}

bool LogFollower::read_some(const TakeLine& take) {
  if (awaited_) return resume_awaited();
  if (read_former(take)) return true;
  if (!current_) return follow_name();
  switch (current_->read_some(take)) {
    case LogSource::Step::Some:
      return true;
    case LogSource::Step::Replaced:
      keep_rest_of_copy();
      current_->start_at(0, 0);
      return true;
    case LogSource::Step::End:
      break;
  }
  if (follow_name()) return true;
  if (is_backlog_ && current_) current_->end_backlog();
  is_backlog_ = false;
  return false;
}

std::optional<LogPosition> LogFollower::position() const {
  if (!current_ || is_former_unread_) return std::nullopt;
  LogPosition position;
  position.device = current_->device();
  position.inode = current_->inode();
  position.offset = current_->offset();
  position.head_size = current_->head_size();
  position.head_digest = current_->head_digest();
  return position;
}

std::uint64_t LogFollower::too_long() const {
  return too_long_ + (current_ ? current_->too_long() : 0) + (former_ ? former_->too_long() : 0);
}

}  // namespace app
