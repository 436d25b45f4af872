#include "tests/bench/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace bench {
namespace {

std::string make_key(KeyKind kind, std::uint64_t number) {
  switch (kind) {
    case KeyKind::Hit:
      return fmt::format("d{:07}.bench.example", number);
    case KeyKind::Miss:
      return fmt::format("x{:07}.bench.example", number);
    case KeyKind::Parent:
      return fmt::format("mail.p{:07}.bench.example", number);
  }
  return {};
}

}  // namespace

std::optional<KeyKind> parse_key_kind(std::string_view text) {
  if (text == "hit") return KeyKind::Hit;
  if (text == "miss") return KeyKind::Miss;
  if (text == "parent") return KeyKind::Parent;
  return std::nullopt;
}

std::vector<std::string> make_requests(std::string_view map, KeyKind kind, std::uint64_t rows,
                                       std::size_t count) {
  const std::uint64_t parents = rows / 10;
  const std::uint64_t range = kind == KeyKind::Parent ? parents : rows - parents;
  // The same keys in every run and for every server.
  std::mt19937_64 random(20211121);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uniform_int_distribution<std::uint64_t> number(0, std::max<std::uint64_t>(range, 1) - 1);
  std::vector<std::string> requests;
  requests.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto payload = fmt::format("{} {}", map, make_key(kind, number(random)));
    requests.push_back(fmt::format("{}:{},", payload.size(), payload));
  }
  return requests;
}

}  // namespace bench
