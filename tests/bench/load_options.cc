#include "tests/bench/load_options.h"

#include <charconv>
#include <string_view>

namespace bench {
namespace {

template <class T>
bool set_number(T& field, std::string_view value) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), field);
  return error == std::errc{} && end == value.data() + value.size() && field > 0;
}

bool set_option(LoadOptions& options, std::string_view name, std::string_view value) {
  if (name == "--connections") return set_number(options.connections, value);
  if (name == "--rows") return set_number(options.rows, value);
  if (name == "--milliseconds") return set_number(options.milliseconds, value);
  if (name == "--warm-up") return set_number(options.warm_up_milliseconds, value);
  if (name == "--pid") return set_number(options.pids.emplace_back(), value);
  if (name == "--address") {
    options.address = value;
  } else if (name == "--kind") {
    options.kind = value;
  } else if (name == "--map") {
    options.map = value;
  } else if (name == "--expect") {
    options.expect = value;
  } else if (name == "--idle") {
    options.spins = value == "spin";
    return options.spins || value == "sleep";
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<LoadOptions> parse_load_options(std::span<char*> arguments) {
  LoadOptions options;
  if (arguments.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (!set_option(options, arguments[i], arguments[i + 1])) return std::nullopt;
  }
  return options;
}

}  // namespace bench
