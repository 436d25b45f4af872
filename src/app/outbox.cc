#include "src/app/outbox.h"

#include <utility>

namespace app {
namespace {

constexpr std::chrono::milliseconds kTryAgainAfter{100};

}  // namespace

Outbox::Outbox(net::Loop& loop) : flusher_(loop, [this] { flush(); }) {}

void Outbox::set_channel(net::Channel* channel) {
  channel_ = channel;
  if (channel_ != nullptr) flush();
}

void Outbox::put(std::uint8_t type, std::string payload) {
  if (bytes_ + payload.size() > kMostBytes) {
    ++dropped_;
    return;
  }
  bytes_ += payload.size();
  waiting_.push_back({type, std::move(payload)});
  flush();
}

void Outbox::flush() {
  while (channel_ != nullptr && !waiting_.empty() &&
         channel_->send(waiting_.front().type, waiting_.front().payload)) {
    bytes_ -= waiting_.front().payload.size();
    waiting_.pop_front();
    ++sent_;
  }
  if (channel_ != nullptr && !waiting_.empty()) flusher_.start(kTryAgainAfter);
}

}  // namespace app
