#include "src/net/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace net {
namespace {

// CMSG_SPACE is not a constant expression to every compiler; this is its upper bound.
constexpr std::size_t kControlBytes = 64 + kMostDescriptors * sizeof(int);

std::vector<base::UniqueFd> take_descriptors(msghdr& header) {
  std::vector<base::UniqueFd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

std::pair<base::UniqueFd, base::UniqueFd> make_channel_ends() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return {base::UniqueFd(), base::UniqueFd()};
  }
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

Channel::Channel(Loop& loop, base::UniqueFd fd, std::function<void(Message)> on_message,
                 std::function<void()> on_close)
    : fd_(std::move(fd)),
      on_message_(std::move(on_message)),
      on_close_(std::move(on_close)),
      buffer_(kLargestMessage + 1),
      watch_(loop, fd_.get(), [this] { receive(); }) {}

bool Channel::send(std::uint8_t type, std::string_view payload, std::span<const int> descriptors) {
  if (payload.size() > kLargestMessage || descriptors.size() > kMostDescriptors) return false;
  std::array<iovec, 2> parts{iovec{&type, 1},
                             iovec{const_cast<char*>(payload.data()), payload.size()}};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void Channel::drain() {
  while (receive()) {
  }
}

bool Channel::receive() {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  // Who dies with something unread resets the connection, and Linux tells that before what it had
  // sent (net/core/datagram.c, __skb_try_recv_datagram), once.
  if (got < 0 && errno == ECONNRESET && !std::exchange(was_reset_, true)) return true;
  if (got <= 0) {
    watch_.pause();
    // The callback may destroy this channel and with it on_close_ itself.
    const auto on_close = std::move(on_close_);
    if (on_close) on_close();
    return false;
  }
  Message message;
  message.descriptors = take_descriptors(header);
  // A cut message, or one with cut descriptors, says nothing that may be acted on.
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return true;
  message.type = static_cast<std::uint8_t>(buffer_.front());
  message.payload = std::string_view(buffer_.data() + 1, static_cast<std::size_t>(got) - 1);
  on_message_(std::move(message));
  return true;
}

}  // namespace net
