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
  static constexpr std::chrono::seconds kIdle{10};

  struct Numbered {
    std::uint64_t number = 0;
    wire::FollowedMessage exchange;
  };

  // True where `destination` was not followed before.
  bool watch(const std::string& destination, base::SteadyPoint now);
  // True where somebody is not followed any more.
  bool drop_idle(base::SteadyPoint now);
  // A new `answer` knows of nobody.
  void forget() { watched_.clear(); }
  [[nodiscard]] std::vector<std::string> watched() const;

  void add(wire::FollowedMessage exchange);
  // What was said of `destination` behind number `after`.
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
