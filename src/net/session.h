// A protocol conversation without I/O: bytes in, bytes out. tlsmap/ and policyd/ implement it, net/
// carries the bytes, and a test needs no socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace net {

// A session stops taking requests once `out` holds this much; the rest of `in` is offered again
// when the peer has read its replies. So a peer that never reads costs no more than this.
inline constexpr std::size_t kMostUnreadReplies = 64 * 1024;

class Session {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of `in` that are done with; the rest is offered again
    bool hang_up = false;      // send what is in `out`, then close
  };
  virtual ~Session() = default;

  // Takes the complete requests in `in` and appends exactly one reply each to `out`, in order. A
  // request that isn't complete yet is left alone.
  virtual Step receive(std::string_view in, std::string& out) = 0;

  // Shown what will be received in some microseconds, after what other peers sent: it may fetch the
  // memory in which the answer lies. True where that was worth while; then look_further() comes in
  // between, when what was fetched is there to be read.
  virtual bool look_ahead(std::string_view /*in*/) { return false; }
  virtual void look_further() {}
};

}  // namespace net
