// Messages between two roles: SOCK_SEQPACKET, a type byte, a payload of at most 64 KiB, at most
// kMostDescriptors descriptors. Never blocks: what does not fit into the kernel's queue is refused,
// and the sender decides whether that matters. The receiver checks what it is told.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/base/handle.h"
#include "src/net/loop.h"

namespace net {

inline constexpr std::size_t kLargestMessage = 64 * 1024;
inline constexpr std::size_t kMostDescriptors = 64;

// Two connected ends, or two empty handles where descriptors have run out.
std::pair<base::UniqueFd, base::UniqueFd> make_channel_ends();

struct Message {
  std::uint8_t type = 0;
  std::string_view payload;  // valid during the callback
  std::vector<base::UniqueFd> descriptors;
};

class Channel {
 public:
  // `on_close` is called once, when the other end is gone; the channel may be destroyed in it.
  Channel(Loop& loop, base::UniqueFd fd, std::function<void(Message)> on_message,
          std::function<void()> on_close);

  // False where the message could not be queued or the other end is gone.
  bool send(std::uint8_t type, std::string_view payload, std::span<const int> descriptors = {});
  template <class Type>
  requires std::is_enum_v<Type>
  bool send(Type type, std::string_view payload = {}, std::span<const int> descriptors = {}) {
    return send(static_cast<std::uint8_t>(type), payload, descriptors);
  }

  // Takes what the other end, which is dead, still had to say. The channel may be destroyed in it.
  void drain();

 private:
  // False where there was nothing, or the end.
  bool receive();

  base::UniqueFd fd_;
  std::function<void(Message)> on_message_;
  std::function<void()> on_close_;
  std::vector<char> buffer_;
  bool was_reset_ = false;
  ReadWatch watch_;
};

}  // namespace net
