#include "src/app/log_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "src/wire/maillog.h"

namespace app {
namespace {

struct Source {
  base::UniqueFd fd;
  pid_t child = -1;
};

base::Error trouble(std::string_view name, std::string_view what) {
  return base::Error{fmt::format("{}: {}", name, what)};
}

// journalctl with the mail facility's lines, oldest first, on a pipe. No shell has a hand in it.
base::Result<Source> start_journalctl() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return trouble(kJournal, std::strerror(errno));
  Source source;
  source.fd.reset(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  std::array<std::string, 5> words{"journalctl", "--quiet", "--no-pager",
                                   "--output=short-iso-precise", "SYSLOG_FACILITY=2"};
  std::array<char*, words.size() + 1> argv{};
  std::transform(words.begin(), words.end(), argv.begin(), [](auto& word) { return word.data(); });
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  const int failed =
      ::posix_spawnp(&source.child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT) {
    return trouble(kJournal,
                   "journalctl is not installed here, so the journal can't be read; name the mail "
                   "log's files instead, e.g. /var/log/mail.log");
  }
  if (failed != 0) {
    return trouble(kJournal, fmt::format("journalctl can't be run: {}", std::strerror(failed)));
  }
  return source;
}

base::Result<Source> open_source(const std::string& name) {
  if (name == kJournal) return start_journalctl();
  Source source;
  source.fd.reset(name == kStandardInput ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                         : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.fd) {
    const bool is_denied = errno == EACCES || errno == EPERM;
    return trouble(name, fmt::format("can't be read: {}{}", std::strerror(errno),
                                     is_denied ? "; run this as root or in group adm" : ""));
  }
  return source;
}

}  // namespace

bool ChildProcess::wait() {
  const pid_t pid = std::exchange(pid_, -1);
  if (pid < 0) return true;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

base::Result<LogReader> LogReader::open(const std::string& name) {
  auto source = open_source(name);
  if (!source) return base::Error{source.error()};
  LogReader reader(name, source->child);
  struct stat status {};
  if (::fstat(source->fd.get(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return trouble(name, "is a folder; name the files in it");
    if (S_ISREG(status.st_mode)) reader.size_ = status.st_size;
  }
  // What isn't gzip is handed on as it stands.
  reader.file_.reset(::gzdopen(source->fd.get(), "rb"));
  if (!reader.file_) {
    source->fd.reset();  // so that a child ends that is waited for
    return trouble(name, "there is not enough memory to read it");
  }
  static_cast<void>(source->fd.release());
  return reader;
}

bool LogReader::fill() {
  begin_ = 0;
  end_ = 0;
  if (!file_ || !error_.empty()) return false;
  errno = 0;
  const int got = ::gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  if (got > 0) {
    end_ = static_cast<std::size_t>(got);
    return true;
  }
  int number = Z_OK;
  const char* words = ::gzerror(file_.get(), &number);
  if (number == Z_ERRNO) {
    error_ = fmt::format("{}: can't be read: {}", name_, std::strerror(errno));
  } else if (number != Z_OK) {
    // zlib begins with "<fd:3>: ".
    const std::string_view said(words);
    const auto at = said.find(">: ");
    error_ = fmt::format("{}: is damaged or not all there: {}", name_,
                         said.substr(at == std::string_view::npos ? 0 : at + 3));
  }
  close_source();
  return false;
}

void LogReader::close_source() {
  file_.reset();
  if (!child_.wait() && error_.empty()) {
    error_ = fmt::format("{}: journalctl failed; it says why above", name_);
  }
}

std::optional<std::string_view> LogReader::next() {
  // One byte over the limit tells a line that is too long.
  constexpr std::size_t kEnough = wire::kLongestLogLine + 1;
  for (;;) {
    if (begin_ == end_ && !fill()) {
      if (!is_partial_ || !error_.empty()) return std::nullopt;
      is_partial_ = false;  // the last line has no end
      line_ = std::exchange(partial_, {});
      if (line_.size() < kEnough) return line_;
      ++too_long_;
      return std::nullopt;
    }
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    const auto at = rest.find('\n');
    const auto piece = rest.substr(0, at);
    begin_ += std::min(piece.size() + 1, rest.size());
    if (at != std::string_view::npos && !is_partial_ && piece.size() < kEnough) return piece;
    partial_ += piece.substr(0, kEnough - std::min(kEnough, partial_.size()));
    is_partial_ = at == std::string_view::npos;
    if (is_partial_) continue;
    line_ = std::exchange(partial_, {});
    if (line_.size() < kEnough) return line_;
    ++too_long_;
  }
}

std::optional<unsigned> LogReader::percent() const {
  if (size_ <= 0 || !file_) return std::nullopt;
  const auto done = ::gzoffset(file_.get());
  return static_cast<unsigned>(std::clamp<std::int64_t>(done * 100 / size_, 0, 100));
}

}  // namespace app
