// Records on their way to `store`, in messages: they wait, in order, while it is away or its
// channel is full. Takes what it is given, so ask is_empty() first: what has its bounds elsewhere
// stays there until then.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "src/wire/role_message.h"

namespace app {

class StoreQueue {
 public:
  // False where the message can't be sent now.
  using TellStore = std::function<bool(wire::AnswerToStore type, std::string_view payload)>;

  explicit StoreQueue(TellStore tell_store) : tell_store_(std::move(tell_store)) {}

  // `append(payload, record)` makes bytes of a record: a few KiB at most.
  template <class Records, class Append>
  void put(wire::AnswerToStore type, const Records& records, Append append) {
    std::string payload;
    for (const auto& record : records) {
      append(payload, record);
      if (payload.size() >= kMostBytes) waiting_.emplace_back(type, std::exchange(payload, {}));
    }
    if (!payload.empty()) waiting_.emplace_back(type, std::move(payload));
  }

  // As much as can be sent now.
  void send() {
    while (!waiting_.empty() && tell_store_(waiting_.front().first, waiting_.front().second)) {
      waiting_.pop_front();
    }
  }
  [[nodiscard]] bool is_empty() const { return waiting_.empty(); }

 private:
  // Well below the 64 KiB of a message between roles.
  static constexpr std::size_t kMostBytes = 32 * 1024;

  TellStore tell_store_;
  std::deque<std::pair<wire::AnswerToStore, std::string>> waiting_;
};

}  // namespace app
