// Follows a log file under its name, over rename, copytruncate and truncation, while it is missing,
// and over a restart of ours. Blocking file reads, a bounded piece at a time; no loop, no clock.
//
// One writer is assumed, as syslog is: once it has written to the new file, the old one is read to
// its end, and looked at for some time more. What a tool compressed before it was read is lost, and
// take_loss() says so.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/app/log_source.h"

namespace app {

// Where the reading goes on: in the file that begins with these bytes, whatever it is called now.
struct LogPosition {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t head_size = 0;
  std::string head_digest;   // base::sha256_hex of so many first bytes
  std::string cursor;        // of the systemd journal, which has no file; else empty
  std::uint64_t serial = 0;  // of the last line handed out; the follower's owner numbers them
  bool operator==(const LogPosition&) const = default;
};
std::string to_text(const LogPosition& position);
std::optional<LogPosition> parse_log_position(std::string_view text);

class LogFollower {
 public:
  // How much before the position is read again, as Known: what a delivery's earlier lines said.
  static constexpr std::uint64_t kReadAgain = 64 * 1024;
  // So many times that nothing new is there, the former file is looked at too.
  static constexpr int kFormerLooks = 50;

  explicit LogFollower(std::string path) : path_(std::move(path)) {}

  // At the first start of all: what is there already is past, and `learn` reads it.
  void begin_at_end();
  // While the file can't be opened, it is tried again at each read_some().
  void resume(const LogPosition& position);

  // True where there may be more at once.
  bool read_some(const TakeLine& take);

  // Behind the last line that was handed out; nothing where no file was ever there, while the one
  // to resume can't be opened, or while the former one is not yet read to its end.
  [[nodiscard]] std::optional<LogPosition> position() const;
  // Why it can't be read now; empty while it can.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  // What is gone for good though reading goes on; said once, empty where nothing is.
  std::string take_loss() { return std::exchange(loss_, {}); }
  [[nodiscard]] std::uint64_t too_long() const;

 private:
  struct Sibling {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t written = 0;  // nanoseconds since the epoch
  };
  [[nodiscard]] std::vector<Sibling> list_siblings() const;
  // The file of a position; sets `written` and whether it still stands under the name.
  std::optional<LogSource> find(const LogPosition& position, std::int64_t& written, bool& is_named);
  void queue_newer_than(std::int64_t written, const LogPosition& position);
  bool read_former(const TakeLine& take);
  bool follow_name();
  bool go_on(const LogPosition& position);
  bool resume_awaited();
  void tell_unopened();
  void keep_rest_of_copy();
  bool move_to(std::optional<LogSource> next, bool is_backlog);

  std::string path_;
  std::optional<LogSource> current_;
  std::optional<LogSource> former_;
  std::optional<LogPosition> awaited_;  // of resume(), until the file can be opened
  int former_looks_ = 0;
  bool is_former_unread_ = false;
  std::deque<std::string> between_;  // rotated files between the current one and the named one
  bool is_backlog_ = false;
  std::string trouble_;
  std::string loss_;
  std::uint64_t too_long_ = 0;  // in files that are closed
};

}  // namespace app
