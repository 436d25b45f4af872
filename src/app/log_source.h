// Whole lines from one log file that others write to, rename and truncate meanwhile. Remembers the
// first bytes: a file whose beginning is another one was truncated and written anew, whatever its
// size is now.
//
// Memory is bounded by a piece and a line. NUL bytes, which a writer without O_APPEND leaves behind
// after a truncation, are passed over; a line that is too long for Postfix is counted and left out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/handle.h"

namespace app {

// How a line reached us.
enum class LineAge : std::uint8_t {
  Known,    // handed out before; read again for what it says of the lines behind it
  Backlog,  // written while nobody read
  Live,
};
using TakeLine = std::function<void(std::string_view line, LineAge age)>;

class LogSource {
 public:
  // Bytes that tell one content from another: with a stamp and a queue id, hardly a line is twice.
  static constexpr std::size_t kHeadSize = 256;
  // Read at once: short enough that the loop goes on turning.
  static constexpr std::size_t kPiece = 64 * 1024;

  enum class Step : std::uint8_t {
    Some,      // there may be more
    End,       // all that was written is read
    Replaced,  // another content stands in the file; nothing of it was handed out
  };

  // Nothing where there is no regular file that can be read; errno says why.
  static std::optional<LogSource> open(const std::string& path);

  // From `offset` on; what stands before `known_until` is handed out as Known.
  void start_at(std::uint64_t offset, std::uint64_t known_until);
  void start_at_end();
  // From here on lines are new ones.
  void end_backlog() { is_backlog_ = false; }
  void begin_backlog() { is_backlog_ = true; }

  Step read_some(const TakeLine& take);

  // The first bytes, as far as `size`, are these: base::sha256_hex of them.
  [[nodiscard]] bool has_head(std::uint64_t size, const std::string& digest) const;
  [[nodiscard]] std::string head_digest() const;
  [[nodiscard]] std::uint64_t head_size() const { return head_.size(); }

  [[nodiscard]] std::uint64_t device() const { return device_; }
  [[nodiscard]] std::uint64_t inode() const { return inode_; }
  // Nothing where it can't be looked at now.
  [[nodiscard]] std::optional<std::uint64_t> size() const;
  // Behind the last line that was handed out.
  [[nodiscard]] std::uint64_t offset() const { return line_start_; }
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }

 private:
  LogSource() = default;
  [[nodiscard]] std::optional<std::string> read_head(std::size_t size) const;
  void feed(std::string_view piece, const TakeLine& take);
  void hand_out(std::string_view line, const TakeLine& take);

  base::UniqueFd fd_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::uint64_t size_at_open_ = 0;
  std::string head_;
  std::uint64_t offset_ = 0;      // of the next byte to read
  std::uint64_t line_start_ = 0;  // of the line that is not whole yet
  std::uint64_t known_until_ = 0;
  bool is_backlog_ = false;
  bool is_skipping_ = false;  // until the next line end
  std::string rest_;          // of a line whose end is not read yet
  std::string piece_;
  std::uint64_t too_long_ = 0;
};

}  // namespace app
