// One conversation with the running daemon over a stream socket: blocking, but never past a
// deadline.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "src/app/config.h"
#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/result.h"

namespace app::ctl {

class Peer {
 public:
  // Inet or Unix alone. The errors name what the system said, not the address: the caller does.
  static base::Result<Peer> connect(const Listen& where, std::chrono::milliseconds patience);

  base::Result<void> send(std::string_view bytes);
  // Appends what comes next; false at the end of the stream.
  base::Result<bool> receive(std::string& into);

 private:
  Peer(base::UniqueFd fd, base::SteadyPoint deadline) : fd_(std::move(fd)), deadline_(deadline) {}
  // Lets the next call on the socket last until the deadline; false where it is over.
  bool allow_remaining_time(int option);

  base::UniqueFd fd_;
  base::SteadyPoint deadline_;
};

// A unix socket, as a place to connect to.
Listen unix_socket(const std::string& path);

}  // namespace app::ctl
