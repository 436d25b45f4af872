// Whom admins follow with `tlspolicyctl trace`, and what was said about them lately. Bounded; time
// comes in as a value.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/wire/role_message.h"

namespace app {

class Following {
 public:
  static constexpr std::size_t kMostDestinations = 32;
  static constexpr std::size_t kMostKept = 10'000;
  // One answer of the control socket: more would take longer than its asker has patience.
  static constexpr std::size_t kMostAtOnce = 1'000;
  static constexpr std::chrono::seconds kIdle{10};

  struct Numbered {
    std::uint64_t number = 0;
    wire::FollowedMessage exchange;
  };

  // Exchanges are numbered upwards from behind `start`: one that grows with each restart, so that
  // who asks for what came after a number of the process before misses nothing.
  explicit Following(std::uint64_t start) : last_(start) {}

  // Whether `destination` was not followed before; Full: it isn't now either.
  enum class Watch : std::uint8_t { New, Known, Full };
  Watch watch(const std::string& destination, base::SteadyPoint now);
  // True where somebody is not followed any more.
  bool drop_idle(base::SteadyPoint now);
  // A new `answer` knows of nobody.
  void forget() { watched_.clear(); }
  [[nodiscard]] std::vector<std::string> watched() const;

  void add(wire::FollowedMessage exchange);
  // What was said of `destination` behind number `after`, at most kMostAtOnce, the oldest first.
  [[nodiscard]] std::vector<Numbered> since(const std::string& destination,
                                            std::uint64_t after) const;

 private:
  std::map<std::string, base::SteadyPoint> watched_;
  std::deque<Numbered> kept_;
  std::uint64_t last_ = 0;
};

// True for the destination itself, in any of its forms, and for what is below it.
bool is_about(const std::string& destination, const std::string& key);

}  // namespace app
