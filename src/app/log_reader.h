// Past mail logs, line by line: plain files, gzip, standard input, or the journal by way of
// journalctl(1). Reads once, from the start; follows nothing. What the lines say is wire/'s affair.
#pragma once

#include <sys/types.h>
#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/handle.h"
#include "src/base/result.h"

namespace app {

// The names that are no files.
inline constexpr std::string_view kStandardInput = "-";
inline constexpr std::string_view kJournal = "journald";

// A child that is waited for; it ends by itself once nobody reads what it writes.
class ChildProcess {
 public:
  ChildProcess() = default;
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() { wait(); }
  // True where it ended well, or where there is none.
  bool wait();

 private:
  pid_t pid_ = -1;
};

class LogReader {
 public:
  // The error names the log and says what to do.
  static base::Result<LogReader> open(const std::string& name);

  // The next line without its end; lives until the next call. Lines over wire::kLongestLogLine are
  // passed over and counted. Nothing at the end, or where error() says why it ended early.
  std::optional<std::string_view> next();
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }

  // How much of a file was read, 0 to 100; nothing where its size is not known.
  [[nodiscard]] std::optional<unsigned> percent() const;

 private:
  LogReader(std::string name, pid_t child)
      : name_(std::move(name)), child_(child), buffer_(kBufferSize) {}
  static constexpr std::size_t kBufferSize = 256UL * 1024;
  bool fill();
  void close_source();

  std::string name_;
  ChildProcess child_;  // goes after the pipe from it
  base::Handle<gzFile_s, gzclose> file_;
  std::int64_t size_ = 0;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string partial_;      // the start of a line that goes on in the next buffer
  bool is_partial_ = false;  // `partial_` holds one, be it as long as it may
  std::string line_;
  std::string error_;
  std::uint64_t too_long_ = 0;
};

}  // namespace app
