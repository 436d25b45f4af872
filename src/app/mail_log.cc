#include "src/app/mail_log.h"

#include <ctime>
#include <utility>

#include "src/app/config.h"
#include "src/base/log.h"
#include "src/wire/maillog.h"

namespace app {
namespace {

// A rotation takes a moment in which there is no file.
constexpr std::chrono::seconds kTroublePatience{5};
// Serials begin with the second of the first start, so that they go on where a position was lost.
constexpr unsigned kSerialShift = 24;

std::chrono::seconds east_of_utc(base::sys_seconds now) {
  const std::time_t seconds = now.time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return std::chrono::seconds{local.tm_gmtoff};
}

// Most lines of a mail log are of other programs, with nothing in them for us. lmtp(8) asks for no
// policy of ours, and tlsproxy(8) says nothing that smtp(8) doesn't.
bool is_of_interest(std::string_view line) {
  const auto program = wire::program_of(line);
  return program == "smtp" || program == "master";
}

}  // namespace

MailLog::MailLog(const base::Clock& clock, std::string path, const std::string& state_db,
                 EvidenceQueue& queue, wire::IngestStats& stats)
    : clock_(clock),
      path_(std::move(path)),
      queue_(queue),
      stats_(stats),
      follower_(path_),
      position_file_(state_db) {
  if (path_ == kJournald) journal_.emplace();
}

void MailLog::start() {
  const auto loaded = position_file_.load();
  if (!loaded) {
    base::log_warning(
        "{}; the mail log is read from its end: what was written to it before this "
        "start is not known here (tlspolicyctl learn reads it)",
        loaded.error());
  }
  const auto position = loaded ? *loaded : std::optional<LogPosition>{};
  if (position) serial_ = position->serial;
  // One of a file says nothing of the journal, nor the other way round.
  if (position && position->cursor.empty() != journal_.has_value()) {
    if (journal_) {
      journal_->resume(position->cursor);
    } else {
      follower_.resume(*position);
    }
    return;
  }
  if (!position)
    serial_ = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()) << kSerialShift;
  if (journal_) {
    journal_->begin_at_end();
  } else {
    follower_.begin_at_end();
  }
}

std::optional<LogPosition> MailLog::position() const {
  if (!journal_) return follower_.position();
  if (journal_->cursor().empty()) return std::nullopt;
  LogPosition position;
  position.cursor = journal_->cursor();
  return position;
}

bool MailLog::read_some() {
  const auto take_any = [this](const auto& line, LineAge age) { take(line, age); };
  const bool is_more = journal_ ? journal_->read_some(take_any) : follower_.read_some(take_any);
  stats_.lines_too_long = follower_.too_long();
  if (auto reached = position()) {
    reached->serial = serial_;
    if (!(marked_ == reached)) queue_.mark(*reached);
    marked_ = std::move(reached);
  }
  watch_trouble();
  return is_more;
}

void MailLog::number(LineAge age) {
  if (age == LineAge::Known) return;
  ++serial_;
  ++stats_.lines;
}

// Stamps of syslog are in local time [F 3.7].
base::sys_seconds MailLog::time_of(const wire::LogStamp& stamp) {
  const auto now = clock_.now();
  if (stamp.offset_minutes) return wire::to_time(stamp, now);
  if (now != offset_at_) {
    offset_at_ = now;
    offset_ = east_of_utc(now);
  }
  return wire::to_time(stamp, now + offset_) - offset_;
}

void MailLog::take(std::string_view line, LineAge age) {
  number(age);
  if (!is_of_interest(line)) return;
  if (const auto parsed = wire::parse_log_line(line)) {
    report(*parsed, age, time_of(parsed->stamp), is_trusted_);
  }
}

void MailLog::take(const Journal::Entry& entry, LineAge age) {
  number(age);
  wire::LogLine line;
  line.host = entry.host;
  line.process.tag = entry.identifier;
  line.process.name = entry.identifier.substr(entry.identifier.rfind('/') + 1);
  line.process.pid = entry.pid;
  line.fact = wire::parse_log_message(line.process, entry.message);
  report(line, age, entry.at, Journal::is_of_postfix(entry, trusted_uid_));
}

// Of a live line: syslog may hold it back for minutes. What seems to be later than that has the
// stamp of another time zone, all of which are an hour off or more, or of another clock; then the
// moment counts at which it was read.
bool MailLog::is_likely(std::chrono::seconds age) {
  return age >= -kStampTolerance && age < kTrustedBacklog - kStampTolerance;
}

void MailLog::report(const wire::LogLine& line, LineAge age, base::sys_seconds written,
                     bool is_trusted) {
  const auto now = clock_.now();
  const bool is_backlog = age == LineAge::Backlog;
  auto reported = evidence_.take(line, is_backlog || is_likely(now - written) ? written : now);
  if (!reported || age == LineAge::Known) return;
  reported->serial = serial_;
  reported->evidence.is_trusted = is_trusted && (!is_backlog || now - written <= kTrustedBacklog);
  queue_.put(*reported);
}

void MailLog::save() {
  const auto due = queue_.take_due();
  if (!due) return;
  const auto saved = position_file_.save(*due);
  const std::string trouble = saved ? std::string() : saved.error();
  if (!trouble.empty() && trouble != save_trouble_) {
    base::log_warning(
        "the place in the mail log can't be saved: {}; after a restart lines may count twice",
        trouble);
  }
  save_trouble_ = trouble;
}

void MailLog::watch_trouble() {
  const std::string loss = journal_ ? journal_->take_loss() : follower_.take_loss();
  if (!loss.empty()) base::log_warning("{}", loss);
  const std::string& trouble = journal_ ? journal_->trouble() : follower_.trouble();
  if (trouble == told_trouble_) {
    trouble_since_.reset();
    return;
  }
  const auto now = clock_.steady();
  if (!trouble_since_) trouble_since_ = now;
  if (!trouble.empty() && now - *trouble_since_ < kTroublePatience) return;
  if (trouble.empty()) {
    base::log_info("{}: followed again", path_);
  } else {
    base::log_warning("{}", trouble);
  }
  stats_.is_log_missing = trouble.empty() ? 0 : 1;
  told_trouble_ = trouble;
}

}  // namespace app
