// Runs a program of Postfix's and takes what it prints. Never a shell; bounded in time and output,
// because an admin's table may hang and a service table may be endless.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace app::doctor {

inline constexpr std::size_t kLargestOutput = std::size_t{4} << 20U;
inline constexpr std::chrono::seconds kCommandPatience{10};
// So much fits into a pipe that nobody reads yet (pipe(7)).
inline constexpr std::size_t kLargestInput = 60'000;

// Where `program` is: in PATH, then where Postfix keeps its commands although no user's PATH says
// so. Empty: nowhere.
std::string find_program(const std::string& program);

// What `argv` prints on standard output, given at most kLargestInput bytes of `input`. A program
// that fails is an error with the last line it wrote to standard error; `accepts_one` takes exit
// status 1 for an answer too (postmap(1): nothing found). One that takes too long is killed.
base::Result<std::string> run_program(const std::vector<std::string>& argv,
                                      std::string_view input = {}, bool accepts_one = false);

struct CommandLimits {
  std::size_t output = kLargestOutput;  // bytes kept at once: all of it, or the longest line
  std::chrono::seconds patience = kCommandPatience;
};

// The same for output of any size: each line as it comes, without its line feed. Ends early, and
// well, where `on_line` returns false; the program is killed then.
base::Result<void> run_by_line(const std::vector<std::string>& argv, const CommandLimits& limits,
                               const std::function<bool(std::string_view)>& on_line);

}  // namespace app::doctor
