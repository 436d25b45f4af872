// Messages on their way to another role: kept for a moment where its channel is full or it is being
// started again, dropped and counted where there are too many.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "src/net/channel.h"
#include "src/net/loop.h"

namespace app {

class Outbox {
 public:
  static constexpr std::size_t kMostBytes = 1U << 20U;

  explicit Outbox(net::Loop& loop);

  // Whom it sends to; nothing while that role is away.
  void set_channel(net::Channel* channel);
  void put(std::uint8_t type, std::string payload);
  template <class Type>
  requires std::is_enum_v<Type>
  void put(Type type, std::string payload) {
    put(static_cast<std::uint8_t>(type), std::move(payload));
  }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Message {
    std::uint8_t type;
    std::string payload;
  };
  void flush();

  net::Channel* channel_ = nullptr;
  std::deque<Message> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
  net::Timer flusher_;
};

}  // namespace app
