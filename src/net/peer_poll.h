// Waits for the peers of one Server with an epoll set of their own, which is a single descriptor to
// libevent: with many peers who ask at once its bookkeeping of each, a tenth of what we do for an
// answer, and the memory of it fall away.
//
// Level-triggered, as libevent is: a peer that is not served comes again.
#pragma once

#include <cstdint>

#include "src/base/handle.h"
#include "src/net/batch.h"
#include "src/net/loop.h"

namespace net {

class Connection;

class PeerPoll {
 public:
  explicit PeerPoll(Loop& loop);  // ends the process where there is no epoll
  PeerPoll(const PeerPoll&) = delete;
  PeerPoll& operator=(const PeerPoll&) = delete;

  // What a peer is waited for to send, or to take. Whose end has come is told in either case.
  enum class For : std::uint8_t { Request, Room };
  // False where the kernel does not let us wait for it, errno says why: the peer is to be dropped.
  // `fd` leaves the set when it is closed. A connection that closes must outlive this turn of the
  // loop.
  [[nodiscard]] bool add(int fd, Connection& connection, For what);
  [[nodiscard]] bool change(int fd, Connection& connection, For what);

 private:
  [[nodiscard]] bool control(int operation, int fd, Connection& connection, For what);
  void serve_some();
  [[nodiscard]] int serve_round();

  Loop& loop_;
  base::UniqueFd epoll_;
  Batch batch_;
  ReadWatch watch_;
};

}  // namespace net
