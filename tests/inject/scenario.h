// A small piece of the daemon's work, with an oracle: what it may say, and what it may leave
// behind, when any call below it fails.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "tests/inject/plan.h"

namespace inject {

enum class Outcome : std::uint8_t {
  Exact,    // all that was asked was done and answered rightly
  Refused,  // an error, TEMP, or an end: nothing that is not so was said
  Wrong,    // the text says what
};

class World {
 public:
  World(std::string folder, Shared& shared) : folder_(std::move(folder)), shared_(shared) {}

  [[nodiscard]] std::string path(std::string_view name) const;
  // Whether the file has the bytes that it had when the scenario began.
  [[nodiscard]] bool is_as_before(std::string_view name) const;
  // That which has this number was said to be done.
  void acknowledge(unsigned number) const { shared_.acknowledged |= std::uint64_t{1} << number; }
  [[nodiscard]] bool is_acknowledged(unsigned number) const {
    return (shared_.acknowledged >> number & 1U) != 0;
  }
  Outcome refused(std::string_view why) const;
  Outcome wrong(std::string_view why) const;

 private:
  std::string folder_;
  Shared& shared_;
};

struct Scenario {
  std::string_view name;
  // Once, without failures: what stands on disk when the scenario begins.
  std::function<void(const World&)> prepare;
  // In a child of its own, with failures.
  std::function<Outcome(const World&)> run;
  // Without failures, on what the child left, however it ended; what is wrong, or nothing.
  std::function<std::string(const World&)> inspect;
};

// One function for each file of scenarios.
std::span<const Scenario> policy_scenarios();
std::span<const Scenario> policy_edit_scenarios();
std::span<const Scenario> image_scenarios();
std::span<const Scenario> state_scenarios();
std::span<const Scenario> state_reading_scenarios();
std::span<const Scenario> session_scenarios();
std::span<const Scenario> channel_scenarios();
std::span<const Scenario> intake_scenarios();

// For prepare() and inspect(), in which nothing may fail: ends the program otherwise.
[[noreturn]] void give_up(std::string_view what);
template <class T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error());
  return std::move(*result);
}
inline void must(const base::Result<void>& result) {
  if (!result) give_up(result.error());
}

}  // namespace inject
