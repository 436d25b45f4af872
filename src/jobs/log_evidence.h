// From the lines of a mail log to evidence: what DeliveryJoin concludes of a delivery, as the
// engine takes it. Each status line gives one piece, or none where it says nothing of TLS. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/jobs/delivery_join.h"
#include "src/wire/maillog.h"
#include "src/wire/state_record.h"

namespace jobs {

class LogEvidence {
 public:
  // Services ("postfix/relay/smtp" on a host) told apart; of others silence means nothing.
  static constexpr std::size_t kMostServices = 64;

  // `at`: when the line was written. Serial and trust are left to the caller.
  std::optional<wire::ReportedEvidence> take(const wire::LogLine& line, base::sys_seconds at);

 private:
  [[nodiscard]] wire::ReportedEvidence report(const wire::LogLine& line, const Delivery& delivery,
                                              base::sys_seconds at) const;
  void note_service(const wire::LogLine& line);
  [[nodiscard]] bool shows_tls(const wire::LogLine& line) const;

  DeliveryJoin join_;
  // Host and tag -> it logged a TLS session since it started, so silence means there was none.
  std::map<std::string, bool, std::less<>> services_;
  // Process ids mean something on the own host alone; a log of several hosts has none.
  std::string only_host_;
  bool has_many_hosts_ = false;
};

}  // namespace jobs
