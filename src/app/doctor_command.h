// Runs a program of Postfix's and takes what it prints. Never a shell; bounded in time and output,
// because an admin's table may hang and a service table may be endless.
#pragma once

#include <chrono>
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

}  // namespace app::doctor
