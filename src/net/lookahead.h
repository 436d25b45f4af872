// Answers peers a little later than they were read from, while other peers wait to be read: what a
// session fetches for one of them (Session::look_ahead) comes while the kernel works for the next.
// No reply waits for longer than the peers that this turn of the loop has found (PeerPoll).
#pragma once

namespace net {

class Connection;

class Lookahead {
 public:
  [[nodiscard]] bool is_empty() const { return nearest_ == nullptr && furthest_ == nullptr; }
  // Has been read from, and its session has looked ahead; it is answered in this turn. It may be
  // dropped before.
  void add(Connection& connection);
  void drop(const Connection& connection);
  // Everybody who waits, at the end of a turn.
  void answer_rest();

 private:
  void move_on(Connection* connection);

  Connection* nearest_ = nullptr;   // has looked further too; answered next
  Connection* furthest_ = nullptr;  // read from last
};

}  // namespace net
