// A protocol conversation without I/O: bytes in, bytes out. tlsmap/ and policyd/ implement it, net/
// carries the bytes, and a test needs no socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace net {

class Session {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of `in` that are done with; the rest is offered again
    bool hang_up = false;      // send what is in `out`, then close
  };
  virtual ~Session() = default;

  // Takes every complete request in `in` and appends exactly one reply each to `out`, in order.
  // A request that isn't complete yet is left alone.
  virtual Step receive(std::string_view in, std::string& out) = 0;
};

}  // namespace net
