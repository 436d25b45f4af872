#include "src/app/mail_log.h"

#include <ctime>
#include <utility>

#include "src/base/log.h"
#include "src/wire/maillog.h"

namespace app {
namespace {

// A rotation takes a moment in which there is no file.
constexpr std::chrono::seconds kTroublePatience{5};
// Serials begin with the second of the first start, so that they go on where a position was lost.
constexpr unsigned kSerialShift = 24;

// Stamps of syslog are in local time [F 3.7].
base::sys_seconds time_of(const wire::LogStamp& stamp, base::sys_seconds now) {
  if (stamp.offset_minutes) return wire::to_time(stamp, now);
  const std::time_t seconds = now.time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const std::chrono::seconds east{local.tm_gmtoff};
  return wire::to_time(stamp, now + east) - east;
}

}  // namespace

MailLog::MailLog(const base::Clock& clock, std::string path, const std::string& state_db,
                 EvidenceQueue& queue, wire::IngestStats& stats)
    : clock_(clock),
      path_(std::move(path)),
      queue_(queue),
      stats_(stats),
      follower_(path_),
      position_file_(state_db) {}

void MailLog::start() {
  if (const auto position = position_file_.load()) {
    serial_ = position->serial;
    follower_.resume(*position);
    return;
  }
  serial_ = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()) << kSerialShift;
  follower_.begin_at_end();
}

bool MailLog::read_some() {
  const bool is_more =
      follower_.read_some([this](std::string_view line, LineAge age) { take(line, age); });
  stats_.lines_too_long = follower_.too_long();
  if (auto position = follower_.position()) {
    position->serial = serial_;
    if (!(marked_ == position)) queue_.mark(*position);
    marked_ = std::move(position);
  }
  watch_trouble();
  return is_more;
}

void MailLog::take(std::string_view line, LineAge age) {
  const auto now = clock_.now();
  if (age != LineAge::Known) {
    ++serial_;
    ++stats_.lines;
  }
  const auto parsed = wire::parse_log_line(line);
  if (!parsed) return;
  const auto written = time_of(parsed->stamp, now);
  const bool is_near = std::chrono::abs(written - now) <= kStampTolerance;
  const bool is_backlog = age == LineAge::Backlog;
  auto reported = evidence_.take(*parsed, is_backlog || is_near ? written : now);
  if (!reported || age == LineAge::Known) return;
  reported->serial = serial_;
  reported->evidence.is_trusted = is_trusted_ && (!is_backlog || now - written <= kTrustedBacklog);
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
  const std::string& trouble = follower_.trouble();
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
