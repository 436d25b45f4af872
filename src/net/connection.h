// One peer of a Server: reads, lets the session answer, writes. Plain recv and send, as a
// bufferevent would cost further system calls on every ping-pong.
//
// A peer that does not read its replies is not read from (kMostUnreadReplies), and one that stalls
// in the middle of a request or of its replies is dropped by Server::sweep().
#pragma once

#include <memory>
#include <string>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/net/session.h"

namespace net {

class Server;

class Connection {
 public:
  Connection(Server& server, base::UniqueFd fd, std::unique_ptr<Session> session);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads from now on. False where the kernel does not let us wait for the peer: to be dropped.
  [[nodiscard]] bool start();
  // What was waited for has come: a request, room for replies, or the peer's end.
  void on_ready();
  // Answers what has arrived by now, then closes unless a reply is still owed. One is owed to a
  // peer in the middle of a request, and to one that was never answered: Postfix connects to ask at
  // once, and where this is its second try, an end of the connection defers the mail [F 1.12].
  void finish();
  // For who was read from ahead of its answer.
  void look_further() { session_->look_further(); }
  // Answers what is pending, where the peer has read all that it was sent.
  void answer();
  // True where the peer owes us bytes, or the reading of ours, since before `deadline`.
  [[nodiscard]] bool is_stalled(base::SteadyPoint deadline) const;

  std::size_t index = 0;  // where the server keeps it

 private:
  friend class Server;
  void read_once();
  void take(std::string_view input);
  void answer_pending();
  bool send_replies(const std::string& out);
  void flush();
  void end_sample(bool is_answered);
  void wait_for_peer();
  void close();

  Server& server_;
  base::UniqueFd fd_;
  std::unique_ptr<Session> session_;
  std::string pending_;  // of a request that isn't complete, or that waits for the peer to read
  std::string unsent_;   // replies the kernel did not take yet
  const base::SteadyPoint born_;
  base::SteadyPoint waiting_since_{};
  // When the request at hand was read, where its answer is to be timed; else nothing.
  std::chrono::steady_clock::time_point sampled_at_{};
  bool closed_ = false;
  bool hang_up_ = false;
  bool was_answered_ = false;
  bool waits_for_room_ = false;
};

}  // namespace net
