// One connection that asks as a Postfix process would, or as a hundred of them through a proxy:
// several questions in a packet, the replies in order. Asks again once, on a new connection, where
// the first one ends.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "tests/bench/address.h"
#include "tests/soak/board.h"
#include "tests/soak/tally.h"

namespace soak {

struct AskerSetup {
  bench::Address address;
  std::size_t depth = 1;                 // questions in a packet
  double rate = 1000;                    // questions a second, at most
  std::uint64_t reconnects_after = 0;    // so many answers; 0 = never of its own will
  std::uint64_t seed = 1;                // of the order of the questions
  std::chrono::milliseconds patience{};  // for each reply
};

class Asker {
 public:
  Asker(const Board& board, Tally& tally, AskerSetup setup);
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker();

  // Connects where there is no connection, asks what is due, reads what has come, gives up what is
  // late. Never waits for the network. Where `is_over`, nothing new is asked.
  void turn(Clock::time_point now, bool is_over);
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_idle() const { return open_.empty(); }

 private:
  struct Open {
    std::size_t question = 0;
    Answers allowed = 0;  // when it was asked first
    bool is_second_try = false;
    Clock::time_point first_asked;
    Clock::time_point asked;
  };

  bool connect(Clock::time_point now);
  void ask(Clock::time_point now);
  void send();
  void receive(Clock::time_point now);
  // False: what has come is no reply.
  bool take_replies(Clock::time_point now);
  void on_reply(std::string_view reply, Clock::time_point now);
  void give_up_what_is_late(Clock::time_point now);
  void on_end(std::string_view why, Clock::time_point now);
  void close();
  void request_again(Clock::time_point now);

  const Board& board_;
  Tally& tally_;
  AskerSetup setup_;
  std::mt19937_64 random_;
  int fd_ = -1;
  Clock::time_point due_;
  Clock::time_point connect_at_;
  std::deque<Open> open_;  // in the order in which their replies come
  std::string in_;
  std::string out_;
  std::uint64_t answered_ = 0;  // on this connection
};

}  // namespace soak
