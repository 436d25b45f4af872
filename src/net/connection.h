// One peer of a Server: reads, lets the session answer, writes. Plain recv and send, as a
// bufferevent would cost further system calls on every ping-pong.
//
// A peer that does not read its replies is not read from (kMostUnreadReplies), and one that stalls
// in the middle of a request or of its replies is dropped by Server::sweep().
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/net/session.h"

namespace net {

class Batch;
class Server;

class Connection {
 public:
  Connection(Server& server, base::UniqueFd fd, std::unique_ptr<Session> session);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads from now on. False where the kernel does not let us wait for the peer: to be dropped.
  [[nodiscard]] bool start();
  // What was waited for has come: a request, which `batch` answers, room for replies, or the peer's
  // end.
  void on_ready(Batch& batch);
  // Answers what has arrived by now, then closes unless a reply is still owed. One is owed to a
  // peer in the middle of a request, and to one that was never answered: Postfix connects to ask at
  // once, and where this is its second try, an end of the connection defers the mail [F 1.12].
  void finish();
  // Answers what the session left alone, where the peer has read all that it was sent.
  void offer_again();

  // The steps of an answer, for Batch. What the peer sent, in `room`; empty where there is nothing
  // to be answered. Each reading is taken and replied to in this turn of the loop.
  [[nodiscard]] std::string_view read(std::span<char> room);
  [[nodiscard]] bool look_ahead(std::string_view input) {
    return pending_.empty() && session_->look_ahead(input);
  }
  void look_further() { session_->look_further(); }
  // Lets the session take what was read, behind what it has left; `replies` are its replies, and
  // nothing else.
  void take(std::string_view input, std::string& replies);
  // Sends them, and goes on where the session stopped for their size alone.
  void reply(std::string& replies);
  // True where the peer owes us bytes, or the reading of ours, since before `deadline`.
  [[nodiscard]] bool is_stalled(base::SteadyPoint deadline) const;

  std::size_t index = 0;  // where the server keeps it

 private:
  friend class Server;
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
  bool is_asking_ = false;  // read from, not replied to yet
  bool closed_ = false;
  bool hang_up_ = false;
  bool was_answered_ = false;
  bool waits_for_room_ = false;
};

}  // namespace net
