#include "src/app/log_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "src/base/sha256.h"
#include "src/wire/maillog.h"

namespace app {
namespace {

// Bytes of `fd` from `offset` on, `most` of them but at the end of the file; nothing on an error,
// which says nothing of what stands there.
std::optional<std::string> read_at(int fd, std::uint64_t offset, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t got =
        ::pread(fd, bytes.data() + size, most - size, static_cast<off_t>(offset + size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::optional<LogSource> LogSource::open(const std::string& path) {
  LogSource source;
  source.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!source.fd_ || ::fstat(source.fd_.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  source.device_ = status.st_dev;
  source.inode_ = status.st_ino;
  source.size_at_open_ = static_cast<std::uint64_t>(status.st_size);
  return source;
}

std::optional<std::uint64_t> LogSource::size() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

std::optional<std::string> LogSource::read_head(std::size_t size) const {
  return read_at(fd_.get(), 0, std::min(size, kHeadSize));
}

bool LogSource::has_head(std::uint64_t size, const std::string& digest) const {
  if (size > kHeadSize) return false;
  const auto head = read_head(size);
  return head && head->size() == size && base::sha256_hex(*head) == digest;
}

std::string LogSource::head_digest() const {
  return base::sha256_hex(head_);
}

void LogSource::start_at(std::uint64_t offset, std::uint64_t known_until) {
  offset_ = line_start_ = offset;
  known_until_ = known_until;
  rest_.clear();
  head_ = read_head(offset).value_or(std::string());
  // In the middle of a line there is nothing to be had before its end.
  is_skipping_ = offset > 0 && read_at(fd_.get(), offset - 1, 1).value_or("\n") != "\n";
}

void LogSource::start_at_end() {
  start_at(size().value_or(size_at_open_), 0);
}

LogSource::Step LogSource::read_some(const TakeLine& take) {
  piece_.resize(kPiece);
  const ssize_t got = ::pread(fd_.get(), piece_.data(), kPiece, static_cast<off_t>(offset_));
  // Looked at after the reading: a truncation in between is seen too.
  const auto head = read_head(head_.size());
  const auto size_now = size();
  // What can't be looked at is looked at again: taken for another content, all of it came twice.
  if (!head || !size_now) return Step::End;
  if (*head != head_ || *size_now < offset_) return Step::Replaced;
  if (got <= 0) return Step::End;
  const std::string_view piece(piece_.data(), static_cast<std::size_t>(got));
  if (head_.size() < kHeadSize) {
    if (offset_ == head_.size()) {
      head_ += piece.substr(0, kHeadSize - head_.size());
    } else {
      head_ = read_head(kHeadSize).value_or(head_);
    }
  }
  feed(piece, take);
  return Step::Some;
}

void LogSource::feed(std::string_view piece, const TakeLine& take) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const auto part = piece.substr(0, end);
    const bool is_whole = end != std::string_view::npos;
    if (!is_skipping_ && rest_.empty() && is_whole) {
      line_start_ = offset_ + part.size() + 1;
      hand_out(part, take);
    } else {
      if (!is_skipping_) {
        // A run of NUL bytes may be as long as the file was before.
        std::copy_if(part.begin(), part.end(), std::back_inserter(rest_),
                     [](char c) { return c != '\0'; });
      }
      if (rest_.size() > wire::kLongestLogLine) {
        is_skipping_ = true;
        rest_.clear();
        ++too_long_;
      }
      if (is_whole) {
        line_start_ = offset_ + part.size() + 1;
        if (!std::exchange(is_skipping_, false)) hand_out(std::exchange(rest_, {}), take);
      }
    }
    const auto taken = part.size() + (is_whole ? 1 : 0);
    offset_ += taken;
    piece.remove_prefix(taken);
  }
}

void LogSource::hand_out(std::string_view line, const TakeLine& take) {
  const LineAge age = line_start_ <= known_until_ ? LineAge::Known
                      : is_backlog_               ? LineAge::Backlog
                                                  : LineAge::Live;
  if (line.find('\0') == std::string_view::npos) {
    take(line, age);
    return;
  }
  std::string text(line);
  std::erase(text, '\0');
  take(text, age);
}

}  // namespace app
