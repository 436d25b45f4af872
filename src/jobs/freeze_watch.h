// Notices when so many destinations that did TLS before begin to fail at once that the fault is
// likely ours (DESIGN section 4, "Freeze"). Values and time in, a verdict out.
//
// Destinations of one registrable name count as one, and those whose failures name one network of
// their MX hosts too: a hosting provider that breaks is not the whole world.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/model/destination_state.h"

namespace jobs {

struct FreezeLimits {
  std::int64_t domains = 5;
  std::int64_t share = 20;    // per cent of the names tried within the window
  std::int64_t window = 600;  // seconds
};

// What a freeze counts: TLS worked before, and none of its failures is on record yet.
[[nodiscard]] inline bool may_begin_to_fail(const model::DestinationState& state) {
  return state.worked_at != 0 && state.phase == model::Phase::Normal;
}

class FreezeWatch {
 public:
  static constexpr std::size_t kMostNames = 100'000;

  void set_limits(FreezeLimits limits) { limits_ = limits; }
  // Mail was tried to `destination` at `now` (seconds on a clock that only runs).
  void note_try(std::string_view destination, std::int64_t now);
  // It begins to fail for want of TLS, though it did TLS before. `mx`: "host[address]", or empty.
  void note_failure(std::string_view destination, std::string_view mx, std::int64_t now);
  // The same of a failure before a restart, in any order of time.
  void recall_failure(std::string_view destination, std::string_view mx, std::int64_t at);
  void note_success(std::string_view destination);

  // Checks of many hosts say that the fault is ours: frozen until then, whatever mail shows.
  void hold_until(std::int64_t until) { held_until_ = until; }
  [[nodiscard]] bool is_held(std::int64_t now) const { return now < held_until_; }

  // Whether it is frozen at `now`; lifts by itself.
  bool is_frozen(std::int64_t now);
  // How many names fail now, for the ledger.
  [[nodiscard]] std::size_t failing() const { return failing_.size(); }

 private:
  struct Failing {
    std::int64_t at = 0;
    std::string network;
  };
  void forget(std::int64_t now);

  FreezeLimits limits_;
  std::unordered_map<std::string, std::int64_t> tried_;
  std::unordered_map<std::string, Failing> failing_;
  std::int64_t forgotten_at_ = 0;
  std::int64_t held_until_ = 0;
};

}  // namespace jobs
