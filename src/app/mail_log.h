// The mail log as `ingest` reads it, from a file or the systemd journal: lines made evidence of,
// numbered and put into the queue; and where the reading stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/app/evidence_queue.h"
#include "src/app/journal.h"
#include "src/app/log_follower.h"
#include "src/app/position_file.h"
#include "src/base/clock.h"
#include "src/jobs/log_evidence.h"
#include "src/wire/role_message.h"

namespace app {

class MailLog {
 public:
  // Of what was written while nobody read, older lines are counted but change nothing.
  static constexpr std::chrono::hours kTrustedBacklog{1};
  // How far the clock of another host may be ahead of ours.
  static constexpr std::chrono::seconds kStampTolerance{10};

  // Clock, queue and counters outlive this.
  MailLog(const base::Clock& clock, std::string path, const std::string& state_db,
          EvidenceQueue& queue, wire::IngestStats& stats);

  // Of a file.
  void set_trust(bool is_trusted) { is_trusted_ = is_trusted; }
  // Whose entries of the journal are believed, besides those of Postfix's units; -1: nobody's.
  void set_trusted_uid(std::int64_t uid) { trusted_uid_ = uid; }
  // Goes on where an earlier process stopped, or at the end of the file.
  void start();
  // Reads a piece; true where there may be more at once.
  bool read_some();
  // Writes down a position that is due.
  void save();

 private:
  void take(std::string_view line, LineAge age);
  void take(const Journal::Entry& entry, LineAge age);
  void report(const wire::LogLine& line, LineAge age, base::sys_seconds written, bool is_trusted);
  base::sys_seconds time_of(const wire::LogStamp& stamp);
  void number(LineAge age);
  [[nodiscard]] static bool is_likely(std::chrono::seconds age);
  [[nodiscard]] std::optional<LogPosition> position() const;
  void watch_trouble();

  const base::Clock& clock_;
  std::string path_;
  EvidenceQueue& queue_;
  wire::IngestStats& stats_;
  LogFollower follower_;
  std::optional<Journal> journal_;
  PositionFile position_file_;
  jobs::LogEvidence evidence_;
  bool is_trusted_ = false;
  std::int64_t trusted_uid_ = -1;
  std::uint64_t serial_ = 0;
  std::optional<LogPosition> marked_;
  std::string save_trouble_;
  std::string told_trouble_;
  std::optional<base::SteadyPoint> trouble_since_;
  // The host's time zone, as of this second: asking for it takes longer than reading a line.
  base::sys_seconds offset_at_{};
  std::chrono::seconds offset_{};
};

}  // namespace app
