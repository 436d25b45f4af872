// scenario_runner FILE...           plays every scenario; a failure names file, line and what
// differs scenario_runner --at-least N FILE...   also fails where there are fewer than N scenarios
//
// Exit 0: all is as the files say; 1: something is not; 2: the command line is wrong.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "tests/scenario/stage.h"

namespace {

struct Result {
  std::size_t played = 0;
  std::size_t failed = 0;
};

void play_file(const std::string& path, Result& result) {
  const auto scenarios = scenario::read_scenarios(path);
  if (!scenarios) {
    fmt::print("{}\n", scenarios.error());
    ++result.failed;
    return;
  }
  for (const auto& each : *scenarios) {
    ++result.played;
    scenario::Stage stage;
    const auto fault = stage.play(each);
    if (!fault) continue;
    ++result.failed;
    fmt::print("{}:{}\n  scenario: {}\n", path, *fault, each.title);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> files(argv + 1, argv + argc);
  std::size_t least = 1;
  if (files.size() > 2 && files.front() == "--at-least") {
    const auto count = base::parse_number<std::size_t>(files[1]);
    if (!count) {
      fmt::print(stderr, "--at-least wants a number\n");
      return 2;
    }
    least = *count;
    files.erase(files.begin(), files.begin() + 2);
  }
  if (files.empty()) {
    fmt::print(stderr, "usage: scenario_runner [--at-least N] FILE...\n");
    return 2;
  }
  Result result;
  for (const auto& path : files) play_file(path, result);
  fmt::print("{} scenarios, {} failed\n", result.played, result.failed);
  if (result.played < least) fmt::print("at least {} are wanted\n", least);
  return result.failed == 0 && result.played >= least ? 0 : 1;
}
