// Mail of the last 24 hours, hour by hour, each delivery once (engine/traffic.h), and whose mail
// was put off for TLS. An hour that is over is read once: only the running one changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/model/overview.h"
#include "src/model/traffic.h"

namespace jobs {

// A destination whose mail was put off for TLS on that day, faults of our own left out.
struct PutOff {
  std::string view;
  std::string destination;
  std::uint64_t deferred = 0;
  model::Cause cause = model::Cause::HandshakeFailure;  // the most frequent one of the newest hour
  std::int64_t first_hour = 0;
  std::int64_t last_hour = 0;
};

class MailDay {
 public:
  // Of one hour; beyond that those with the least mail put off are left out.
  static constexpr std::size_t kMostPutOff = 1'000;

  // Calls back with each destination of the hour that begins at `hour`; false where that can't be
  // read.
  using Visit = std::function<void(const model::HourOfMail&)>;
  using ReadHour = std::function<bool(std::int64_t hour, const Visit& visit)>;
  // Reads what is missing, the newest first, until `is_enough` after an hour; the rest comes next
  // time.
  void refresh(std::int64_t now, const ReadHour& read, const std::function<bool()>& is_enough);

  // As of the last refresh(): model::Overview::kTrafficHours of them, oldest first; all 0 where one
  // is not read yet.
  [[nodiscard]] std::vector<model::Overview::Hour> hours() const;
  // Most mail first.
  [[nodiscard]] std::vector<PutOff> put_off() const;

 private:
  struct Hour {
    model::Overview::Hour sum;
    std::vector<PutOff> put_off;
    bool is_final = false;
  };
  static void add(Hour& hour, const model::HourOfMail& seen);
  static void cut(Hour& hour);

  std::int64_t newest_ = 0;  // the running hour
  std::map<std::int64_t, Hour> hours_;
};

}  // namespace jobs
