// The mail log as `ingest` reads it: a file's lines, made evidence of, numbered and put into the
// queue; and where the reading stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/app/evidence_queue.h"
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
  // A live line's own stamp counts where it is this near; else the moment at which it was read.
  static constexpr std::chrono::seconds kStampTolerance{10};

  // Clock, queue and counters outlive this.
  MailLog(const base::Clock& clock, std::string path, const std::string& state_db,
          EvidenceQueue& queue, wire::IngestStats& stats);

  void set_trust(bool is_trusted) { is_trusted_ = is_trusted; }
  // Goes on where an earlier process stopped, or at the end of the file.
  void start();
  // Reads a piece; true where there may be more at once.
  bool read_some();
  // Writes down a position that is due.
  void save();

 private:
  void take(std::string_view line, LineAge age);
  void watch_trouble();

  const base::Clock& clock_;
  std::string path_;
  EvidenceQueue& queue_;
  wire::IngestStats& stats_;
  LogFollower follower_;
  PositionFile position_file_;
  jobs::LogEvidence evidence_;
  bool is_trusted_ = false;
  std::uint64_t serial_ = 0;
  std::optional<LogPosition> marked_;
  std::string save_trouble_;
  std::string told_trouble_;
  std::optional<base::SteadyPoint> trouble_since_;
};

}  // namespace app
