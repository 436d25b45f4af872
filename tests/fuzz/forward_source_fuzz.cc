// Any bytes as a file of forwards, in each format: lines rise, bounds hold, and a forward has a
// domain or says why it is unknown.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tlsmap/forward_source.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const std::string& text, tlsmap::ForwardFormat format) {
  const auto found = tlsmap::read_forwards(text, format);
  if (!found) {
    require(!found.error().empty());
    return;
  }
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::size_t before = 1;
  for (const auto& each : *found) {
    require(each.line >= before && each.line <= lines);
    before = each.line;
    require(each.address.size() <= tlsmap::kLongestForward);
    require(each.unknown.empty() == !each.domain.empty());
    require(each.address.ends_with(each.domain));
    require(each.domain.find('@') == each.domain.npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  for (const auto* word : {"aliases", "virtual", "sieve"}) {
    check(text, tlsmap::parse_forward_format(word).value());
  }
  tlsmap::guess_forward_format("x", text);
  return 0;
}
