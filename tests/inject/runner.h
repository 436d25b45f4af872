// One injection: a child of its own does the scenario with one failure, and what it says and leaves
// behind is judged.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/inject/scenario.h"

namespace inject {

enum class Ending : std::uint8_t {
  Exact,
  Refused,
  Died,  // std::terminate for std::bad_alloc, as DESIGN section 2 has it: the parent starts it anew
  Ended,  // the process left of its own will: a role that can't go on
  Wrong,
};
inline constexpr std::size_t kEndings = 5;

struct Result {
  Ending ending = Ending::Wrong;
  std::uint64_t fired = 0;
  std::array<std::uint64_t, kCalls> calls{};
  std::string text;  // what was refused, or what is wrong
};

class Runner {
 public:
  Runner();
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // What stands on disk when `scenario` begins; to be called before its first injection.
  void prepare(const Scenario& scenario);
  // `nth` 0: nothing fails, for the numbers of calls. With `is_loud` the child's log is shown.
  Result run(const Scenario& scenario, const Fault& fault, std::uint64_t nth, bool is_sticky,
             bool is_loud = false);

 private:
  [[noreturn]] void be_child(const Scenario& scenario, const Fault& fault, std::uint64_t nth,
                             bool is_sticky, bool is_loud);
  [[nodiscard]] Result judge(const Scenario& scenario, const Fault& fault, int status) const;

  std::filesystem::path root_;
  Shared* shared_;
};

}  // namespace inject
