// Evidence on its way from `ingest` to `answer`: packed into messages, kept for a moment where the
// channel is full, dropped and counted where it stays so. Carries the positions in the log along:
// each is due for saving when all evidence before it is sent or dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/app/log_follower.h"
#include "src/base/clock.h"
#include "src/wire/state_record.h"

namespace app {

class EvidenceQueue {
 public:
  static constexpr std::size_t kMessageSize = 16 * 1024;  // taken by `answer` between two look-ups
  static constexpr std::size_t kMostBytes = 512 * 1024;
  // The log is read on while no more than this waits.
  static constexpr std::size_t kRoomyBytes = 64 * 1024;
  // A log that waits for longer would lag; what waits then is dropped.
  static constexpr std::chrono::seconds kPatience{3};

  void put(const wire::ReportedEvidence& reported);
  void mark(const LogPosition& position);

  // Sends what the channel takes; `send` is false where it takes no more.
  void flush(const std::function<bool(std::string_view payload)>& send, base::SteadyPoint now);
  // The newest position that is due since the last call.
  std::optional<LogPosition> take_due() { return std::exchange(due_, std::nullopt); }

  [[nodiscard]] bool is_empty() const { return waiting_.empty(); }
  [[nodiscard]] bool is_roomy() const { return bytes_ <= kRoomyBytes; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Message {
    std::string payload;
    std::uint64_t count = 0;
    std::optional<LogPosition> behind;
  };
  void pop();

  std::deque<Message> waiting_;
  std::size_t bytes_ = 0;
  std::optional<LogPosition> due_;
  std::optional<base::SteadyPoint> stuck_since_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace app
