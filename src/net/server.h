// Accepts peers on listeners and keeps their connections. Never closes a connection first while its
// peer is well-behaved [F 1.13]: no idle time-out, and at the descriptor limit accepting pauses
// while the peers who are in go on undisturbed. Peers that are no Postfix may be given a lifetime.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/net/connection.h"
#include "src/net/loop.h"
#include "src/net/peer_poll.h"
#include "src/net/session.h"

namespace net {

struct PeerCredentials {
  bool is_local = false;  // a unix socket; the others mean nothing otherwise
  std::int64_t pid = 0;
  std::int64_t uid = -1;
};

class Server {
 public:
  struct Limits {
    std::size_t connections = 1000;
    std::chrono::seconds stall{10};
    // Then a connection ends whatever its peer does, and one on which nothing was asked within
    // `stall` ends too; 0 = neither.
    std::chrono::seconds lifetime{0};
    // What the log advises when accepting pauses at the limit.
    std::string_view advice = "raise the limit of open files (LimitNOFILE) if this stays";
  };
  using MakeSession = std::function<std::unique_ptr<Session>(const PeerCredentials&)>;

  // The clock outlives the server.
  Server(Loop& loop, const base::Clock& clock, const Limits& limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes peers from `listener` from now on. Before start() they wait in its backlog.
  void add_listener(base::UniqueFd listener, MakeSession make_session);
  void start();
  void set_stall(std::chrono::seconds stall) { limits_.stall = stall; }

  // Offers again what sessions left alone although it was complete, because they waited for
  // something else.
  void offer_again();

  // Told how long an answer took, from the request read to the reply handed to the kernel, of one
  // reading in kSampling: two looks at the exact clock in so many are not seen on the hot path.
  static constexpr unsigned kSampling = 16;
  void watch_latency(std::function<void(std::chrono::nanoseconds)> note) {
    note_latency_ = std::move(note);
  }

  // Stops accepting, answers what has arrived and the first request of each peer that has not asked
  // yet, and calls `on_stopped` when every reply is out or the deadline has passed.
  void stop(std::chrono::milliseconds deadline, std::function<void()> on_stopped);
  [[nodiscard]] bool is_stopping() const { return stopping_; }

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] std::uint64_t stalled() const { return stalled_; }

 private:
  friend class Connection;
  struct Listener {
    base::UniqueFd fd;
    MakeSession make_session;
    std::unique_ptr<ReadWatch> watch;
  };
  void accept_some(Listener& listener);
  void pause_accepting();
  void resume_accepting();
  void sweep();
  [[nodiscard]] bool is_sample_due() { return note_latency_ && readings_++ % kSampling == 0; }
  void bury(const Connection& connection);
  void reap();
  void end_stop_if_done();

  Loop& loop_;
  const base::Clock& clock_;
  Limits limits_;
  base::SteadyPoint now_;  // as of the last sweep: exact enough for stalls, free on the hot path
  PeerPoll peers_;
  bool started_ = false;
  bool stopping_ = false;
  bool accepting_paused_ = false;
  std::uint64_t stalled_ = 0;
  unsigned readings_ = 0;
  std::function<void(std::chrono::nanoseconds)> note_latency_;
  std::function<void()> on_stopped_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;
  // Closed ones wait here until no frame up the stack can hold them.
  std::vector<std::unique_ptr<Connection>> graveyard_;
  Timer reaper_;
  Timer sweeper_;
  Timer accept_pause_;
  Timer stop_deadline_;
};

}  // namespace net
