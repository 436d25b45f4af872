// The clients of ./dev soak: several connections in one process that ask without end and check
// each answer against the board. Prints its counts four times a second as JSON, each wrong answer
// when it comes, and ends where its standard input does.
//
//   soak_clients BOARD_FOLDER RATE SEED PATIENCE_MS ADDRESS...
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tests/soak/asker.h"

namespace {

using soak::Asker;
using soak::Clock;

// Of the connections to each address: alone as smtp(8) is, and some that pipeline; the first two
// come and go.
struct Manner {
  std::size_t depth;
  std::uint64_t reconnects_after;
};
constexpr std::array kManners{Manner{1, 500}, Manner{8, 2000}, Manner{32, 0}, Manner{100, 0}};
constexpr std::chrono::milliseconds kReportEvery{250};

struct Setup {
  std::string folder;
  std::uint64_t rate = 0;
  std::uint64_t seed = 0;
  std::uint64_t patience_ms = 0;
  std::vector<bench::Address> addresses;
};

bool read_number(std::uint64_t& number, std::string_view text) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Setup> parse(std::span<char*> arguments) {
  Setup setup;
  if (arguments.size() < 5) return std::nullopt;
  setup.folder = arguments[0];
  if (!read_number(setup.rate, arguments[1]) || !read_number(setup.seed, arguments[2]) ||
      !read_number(setup.patience_ms, arguments[3]) || setup.rate == 0) {
    return std::nullopt;
  }
  for (const char* text : arguments.subspan(4)) {
    const auto address = bench::parse_address(text);
    if (!address) return std::nullopt;
    setup.addresses.push_back(*address);
  }
  return setup;
}

std::vector<std::unique_ptr<Asker>> make_askers(const Setup& setup, const soak::Board& board,
                                                soak::Tally& tally) {
  const std::size_t count = setup.addresses.size() * kManners.size();
  std::vector<std::unique_ptr<Asker>> askers;
  for (const bench::Address& address : setup.addresses) {
    for (const Manner& manner : kManners) {
      askers.push_back(std::make_unique<Asker>(
          board, tally,
          soak::AskerSetup{address, manner.depth,
                           static_cast<double>(setup.rate) / static_cast<double>(count),
                           manner.reconnects_after, setup.seed + askers.size(),
                           std::chrono::milliseconds(setup.patience_ms)}));
    }
  }
  return askers;
}

// Until standard input ends, and what is open then is answered or late.
void run(std::span<std::unique_ptr<Asker>> askers, const soak::Tally& tally) {
  std::vector<pollfd> watched;
  auto report_at = Clock::now() + kReportEvery;
  bool is_over = false;
  while (!is_over || !std::ranges::all_of(askers, [](const auto& one) { return one->is_idle(); })) {
    watched.clear();
    if (!is_over) watched.push_back({0, POLLIN, 0});
    for (const auto& asker : askers) watched.push_back({asker->fd(), POLLIN, 0});
    ::poll(watched.data(), watched.size(), 1);
    const auto now = Clock::now();
    is_over = is_over || watched.front().revents != 0;
    for (const auto& asker : askers) asker->turn(now, is_over);
    if (now >= report_at) {
      tally.print(false);
      report_at += kReportEvery;
    }
  }
  tally.print(true);
}

}  // namespace

int main(int argc, char** argv) {
  const auto setup = parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!setup) {
    fmt::print(stderr, "soak_clients: BOARD_FOLDER RATE SEED PATIENCE_MS ADDRESS...\n");
    return 2;
  }
  const auto board = soak::Board::open(setup->folder);
  if (!board) {
    fmt::print(stderr, "soak_clients: {} holds no board\n", setup->folder);
    return 1;
  }
  soak::Tally tally(*board);
  auto askers = make_askers(*setup, *board, tally);
  run(askers, tally);
  return 0;
}
