// What became of the questions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "tests/bench/histogram.h"
#include "tests/soak/board.h"

namespace soak {

using Clock = std::chrono::steady_clock;

class Tally {
 public:
  explicit Tally(const Board& board) : board_(board) {}

  // One that was answered; `allowed`: whenever it was on its way.
  void note_answer(std::size_t question, std::string_view reply, Answers allowed,
                   Clock::duration took);
  // Not even a second connection brought an answer: Postfix defers the mail.
  void note_deferred(std::size_t question, std::string_view why);
  // Neither answered nor hung up on in time.
  void note_late(std::size_t question, Clock::duration waited);
  void note_retry() { ++retried_; }

  // One line of JSON; the last one says so.
  void print(bool is_last) const;

 private:
  void complain(std::string_view kind, std::size_t question, std::string_view reply,
                Answers allowed);

  const Board& board_;
  bench::Histogram times_;
  std::uint64_t right_ = 0;
  std::uint64_t weaker_ = 0;  // than every answer that was allowed
  std::uint64_t other_ = 0;   // wrong in another way
  std::uint64_t deferred_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t retried_ = 0;
  std::uint64_t complaints_ = 0;
};

}  // namespace soak
