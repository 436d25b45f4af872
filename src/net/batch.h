// Peers who ask at about the same time, answered together: first all are read from, then all
// answers are found, then all are sent. So the kernel's code for each step, and ours, is fetched
// into the processor once for all of them and not once for each, and the memory in which one answer
// lies comes while others are looked for.
//
// A peer's answer waits for as long as the others of its batch take, some ten microseconds.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace net {

class Connection;

class Batch {
 public:
  // Reads what the peer has sent; it is answered by answer_all() at the latest. The connection
  // outlives that, also where it closes.
  void add(Connection& connection);
  void answer_all();

 private:
  // More gain nothing: the requests, and what is said of them, shall stay in the first cache.
  static constexpr std::size_t kMost = 16;
  // As large as the longest request of any protocol here: what is more waits in the kernel.
  static constexpr std::size_t kReadAtOnce = 16 * 1024;
  struct Asking {
    Connection* connection = nullptr;
    std::string_view input;
    bool looks_ahead = false;
    std::string replies;  // its memory is used again
  };

  std::array<Asking, kMost> asking_;
  std::size_t count_ = 0;
  std::array<char, 2 * kReadAtOnce> bytes_{};
  std::size_t used_ = 0;
};

}  // namespace net
