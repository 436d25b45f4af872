// Answers peers a little later than they were read from, while other peers wait to be read: what a
// session fetches for one of them (Session::look_ahead) comes while the kernel works for the next.
// No reply waits for longer than the events that this turn of the loop has found.
#pragma once

#include "src/net/loop.h"

namespace net {

class Connection;

class Lookahead {
 public:
  explicit Lookahead(Loop& loop);
  Lookahead(const Lookahead&) = delete;
  Lookahead& operator=(const Lookahead&) = delete;

  // Whether something else happens in this turn of the loop, before which a reply may wait.
  [[nodiscard]] bool has_company() const;
  // Has been read from, and its session has looked ahead; it is answered in this turn. It may be
  // dropped before.
  void add(Connection& connection);
  void drop(const Connection& connection);

 private:
  static void on_rest(int fd, short what, void* self) noexcept;
  void move_on(Connection* connection);
  void answer_rest();

  Loop& loop_;
  Connection* nearest_ = nullptr;   // has looked further too; answered next
  Connection* furthest_ = nullptr;  // read from last
  bool is_rest_due_ = false;
  EventHandle rest_;  // behind all that is active when the first one is added
};

}  // namespace net
