#include "src/app/journal.h"

#include <fmt/format.h>
#include <systemd/sd-journal.h>

#include <cstdlib>
#include <cstring>

#include "src/base/text.h"
#include "src/wire/maillog.h"

namespace app {
namespace {

constexpr const char* kMailFacility = "SYSLOG_FACILITY=2";
constexpr std::size_t kLongestField = 16 * 1024;

void free_text(char* text) noexcept {
  std::free(text);
}

}  // namespace

void close_journal(sd_journal* journal) noexcept {
  ::sd_journal_close(journal);
}

bool Journal::is_of_postfix(const Entry& entry, std::int64_t uid) {
  if (entry.unit == "postfix.service") return true;
  if (entry.unit.starts_with("postfix@") && entry.unit.ends_with(".service")) return true;
  return uid >= 0 && entry.uid == uid;
}

bool Journal::open() {
  sd_journal* opened = nullptr;
  const int error = folder_.empty()
                        ? ::sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                        : ::sd_journal_open_directory(&opened, folder_.c_str(), 0);
  if (error < 0) {
    close(error);
    return false;
  }
  journal_.reset(opened);
  ::sd_journal_set_data_threshold(opened, kLongestField);
  ::sd_journal_add_match(opened, kMailFacility, 0);
  // Makes the library watch for files that come and go; sd_journal_process() takes note.
  ::sd_journal_get_fd(opened);
  trouble_.clear();
  return true;
}

// The handle is of no use; the next reading opens the journal anew.
void Journal::close(int error) {
  journal_.reset();
  trouble_ = fmt::format("the systemd journal can't be read: {}; evidence from it waits",
                         std::strerror(-error));
}

bool Journal::is_at(const std::string& cursor) const {
  return ::sd_journal_test_cursor(journal_.get(), cursor.c_str()) > 0;
}

void Journal::keep_cursor() {
  char* raw = nullptr;
  if (::sd_journal_get_cursor(journal_.get(), &raw) < 0) return;
  const base::Handle<char, free_text> text(raw);
  cursor_ = text.get();
}

void Journal::begin_at_end() {
  if (!open()) return;
  ::sd_journal_seek_tail(journal_.get());
  const int step = ::sd_journal_previous(journal_.get());
  if (step > 0) {
    keep_cursor();
  } else if (step < 0) {
    close(step);
  } else {
    trouble_ =
        "the systemd journal has no line of the mail facility that may be read; is the daemon's "
        "user in group systemd-journal?";
    ::sd_journal_seek_head(journal_.get());
  }
}

void Journal::resume(const std::string& cursor) {
  is_backlog_ = true;
  cursor_ = cursor;
  if (!open()) return;
  ::sd_journal_seek_cursor(journal_.get(), cursor.c_str());
  const int step = ::sd_journal_next(journal_.get());
  if (step < 0) {
    close(step);
    return;
  }
  if (step == 0 || !is_at(cursor)) {
    // The journal was vacuumed; what is nearest comes next.
    ::sd_journal_seek_cursor(journal_.get(), cursor.c_str());
    loss_ = "the systemd journal has lost the entry that was read last; some may be missing";
    return;
  }
  // A step is taken before each reading.
  const int back = ::sd_journal_previous_skip(journal_.get(), kReadAgain);
  if (back >= 0 && static_cast<std::uint64_t>(back) < kReadAgain) {
    ::sd_journal_seek_head(journal_.get());
  }
  known_until_ = cursor;
}

std::string_view Journal::field(const char* name, std::string& kept) {
  const void* data = nullptr;
  std::size_t size = 0;
  kept.clear();
  if (::sd_journal_get_data(journal_.get(), name, &data, &size) < 0) return kept;
  const std::string_view text(static_cast<const char*>(data), size);
  const auto skipped = std::strlen(name) + 1;
  if (text.size() >= skipped) kept = text.substr(skipped);
  return kept;
}

bool Journal::read_entry(Entry& entry) {
  entry.message = field("MESSAGE", message_);
  entry.identifier = field("SYSLOG_IDENTIFIER", identifier_);
  entry.host = field("_HOSTNAME", host_);
  entry.unit = field("_SYSTEMD_UNIT", unit_);
  const auto uid = base::parse_number<std::int64_t>(field("_UID", number_));
  entry.uid = uid.value_or(-1);
  const auto pid = base::parse_number<std::uint32_t>(field("_PID", number_));
  entry.pid = pid.value_or(0);
  std::uint64_t microseconds = 0;
  ::sd_journal_get_realtime_usec(journal_.get(), &microseconds);
  entry.at = base::sys_seconds(std::chrono::seconds(microseconds / 1'000'000));
  return pid && entry.message.size() <= wire::kLongestLogLine &&
         entry.identifier.size() <= wire::kLongestLogTag;
}

bool Journal::read_some(const Take& take) {
  if (!journal_) {
    // Where it was opened anew, what stands before the place is not news.
    cursor_.empty() ? begin_at_end() : resume(cursor_);
  }
  if (!journal_) return false;
  ::sd_journal_process(journal_.get());
  for (int i = 0; i < kPiece; ++i) {
    const int step = ::sd_journal_next(journal_.get());
    if (step <= 0) {
      if (step < 0) journal_.reset();  // as after a damaged file; the place is known
      is_backlog_ = false;
      return false;
    }
    const bool is_known = !known_until_.empty();
    if (is_known && is_at(known_until_)) known_until_.clear();
    Entry entry;
    const bool is_usable = read_entry(entry);
    if (!is_known) {
      keep_cursor();
      trouble_.clear();
    }
    if (!is_usable) continue;
    take(entry, is_known ? LineAge::Known : is_backlog_ ? LineAge::Backlog : LineAge::Live);
  }
  return true;
}

}  // namespace app
