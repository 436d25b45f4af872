// The mail facility of the systemd journal, entry by entry, by libsystemd. The fields that begin
// with an underscore are the kernel's and journald's word, not the sender's (systemd.journal-fields
// (7)): who wrote an entry can be believed, unlike in a log file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "src/app/log_source.h"
#include "src/base/clock.h"
#include "src/base/handle.h"

struct sd_journal;

namespace app {

void close_journal(sd_journal* journal) noexcept;

class Journal {
 public:
  struct Entry {
    std::string_view message;
    std::string_view identifier;  // postfix/smtp; SYSLOG_IDENTIFIER, the sender's word
    std::string_view host;
    std::uint32_t pid = 0;
    std::int64_t uid = -1;
    std::string_view unit;
    base::sys_seconds at{};
  };
  // The kernel's word that Postfix wrote it: its units, or the user whose outcomes are believed
  // (-1: nobody).
  static bool is_of_postfix(const Entry& entry, std::int64_t uid);
  using Take = std::function<void(const Entry& entry, LineAge age)>;

  // Read again before the place where the reading goes on, as Known.
  static constexpr std::uint64_t kReadAgain = 500;
  // Read at once.
  static constexpr int kPiece = 500;

  // `folder` holds journal files; empty: the system's own.
  explicit Journal(std::string folder = {}) : folder_(std::move(folder)) {}

  void begin_at_end();
  void resume(const std::string& cursor);
  // True where there may be more at once.
  bool read_some(const Take& take);

  // Of the last entry that was handed out; empty where there was none.
  [[nodiscard]] const std::string& cursor() const { return cursor_; }
  // Why nothing can be read now; empty while it can.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  // What is gone for good though reading goes on; said once, empty where nothing is.
  std::string take_loss() { return std::exchange(loss_, {}); }

 private:
  bool open();
  void close(int error);
  [[nodiscard]] bool is_at(const std::string& cursor) const;
  [[nodiscard]] bool read_entry(Entry& entry);
  std::string_view field(const char* name, std::string& kept);
  void keep_cursor();

  std::string folder_;
  base::Handle<sd_journal, close_journal> journal_;
  std::string cursor_;
  std::string known_until_;  // its cursor; empty: nothing is known any more
  bool is_backlog_ = false;
  std::string trouble_;
  std::string loss_;
  // What an Entry's views point into.
  std::string message_, identifier_, host_, unit_, number_;
};

}  // namespace app
