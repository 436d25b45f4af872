// What a million destinations cost in memory, as `answer` remembers them: one line of JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <string>

#include "src/jobs/destination_table.h"

namespace {

constexpr std::size_t kDestinations = 1'000'000;

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

int main() {
  const auto before = resident_bytes();
  jobs::DestinationTable table;
  model::DestinationState state;
  state.version = 1;
  state.offered_at = 1'790'000'000;
  state.worked_at = state.offered_at;
  state.offered_lived = 1;
  for (std::size_t i = 0; i < kDestinations; ++i) {
    if (!table.put("", fmt::format("d{:07}.bench.example", i), state)) return 1;
  }
  fmt::print("{{\"destinations\": {}, \"bytes_each\": {:.1f}}}\n", table.size(),
             static_cast<double>(resident_bytes() - before) / static_cast<double>(kDestinations));
  return 0;
}
