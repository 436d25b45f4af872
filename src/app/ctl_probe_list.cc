// What `probe` is asked for: the destinations of the command line and of a file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "src/app/ctl_probe.h"
#include "src/base/handle.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

constexpr std::size_t kLargestList = 16U << 20U;

// A bare address, with or without a port, is meant as the literal that Postfix wants in brackets.
std::string as_next_hop(std::string_view written) {
  if (model::parse_address(written)) return fmt::format("[{}]", written);
  const auto colon = written.find(':');
  if (colon == written.npos || !model::parse_address(written.substr(0, colon))) {
    return std::string(written);
  }
  return fmt::format("[{}]{}", written.substr(0, colon), written.substr(colon));
}

base::Result<std::string> read_list(const std::string& file) {
  const bool is_input = file == "-";
  const base::UniqueFd opened(is_input ? ::dup(STDIN_FILENO)
                                       : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 1U << 16U> buffer{};
  while (opened) {
    const auto got = ::read(opened.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestList) {
      return base::Error{fmt::format("{}: it is larger than {} MiB", file, kLargestList >> 20U)};
    }
  }
  return base::Error{fmt::format("{}: {}", file, std::strerror(errno))};
}

}  // namespace

base::Result<std::vector<std::string>> destinations_of(const Arguments& arguments) {
  std::vector<std::string> written = arguments.destinations;
  if (!arguments.file.empty()) {
    const auto text = read_list(arguments.file);
    if (!text) return base::Error{text.error()};
    for (const auto line : base::split(*text, "\n")) {
      const auto entry = base::trim(line.substr(0, line.find('#')));
      if (!entry.empty()) written.emplace_back(entry);
    }
  }
  std::vector<std::string> destinations;
  for (const auto& each : written) {
    auto key = model::normalise_key(as_next_hop(each)).text;
    if (std::find(destinations.begin(), destinations.end(), key) == destinations.end()) {
      destinations.push_back(std::move(key));
    }
  }
  return destinations;
}

}  // namespace app::ctl
