// The laws of a codec, on any bytes: a whole netstring gives its payload and exact length, each
// strict prefix of it waits, a bad byte is named at once and for good, and what is appended comes
// back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/netstring.h"

namespace {

constexpr std::size_t kLimit = 300;

void require(bool holds) {
  if (!holds) std::abort();
}

// A second reading of the format, by arithmetic on strings alone.
void check_against_format(std::string_view input, const wire::Frame& frame) {
  const auto digits = std::to_string(frame.payload.size());
  const auto whole = digits + ":" + std::string(frame.payload) + ",";
  require(frame.payload.size() <= kLimit);
  require(frame.consumed == whole.size());
  require(input.substr(0, frame.consumed) == whole);
}

void check_byte_by_byte(std::string_view input) {
  const auto whole = wire::parse_netstring(input, kLimit);
  for (std::size_t length = 0; length <= input.size(); ++length) {
    const auto part = wire::parse_netstring(input.substr(0, length), kLimit);
    if (const auto* frame = std::get_if<wire::Frame>(&part)) {
      const auto* at_once = std::get_if<wire::Frame>(&whole);
      require(at_once != nullptr && at_once->consumed == frame->consumed);
      require(length >= frame->consumed);
      check_against_format(input, *frame);
    } else if (std::holds_alternative<wire::Malformed>(part)) {
      require(std::holds_alternative<wire::Malformed>(whole));
      require(!std::get<wire::Malformed>(part).why.empty());
    } else {
      const auto* at_once = std::get_if<wire::Frame>(&whole);
      require(at_once == nullptr || length < at_once->consumed);
      // Nothing past the limit is waited for.
      require(length < kLimit + wire::kNetstringOverhead);
    }
  }
}

void check_round_trip(std::string_view payload) {
  std::string appended;
  wire::append_netstring(appended, payload);
  std::string closed;
  const auto start = wire::open_netstring(closed);
  closed += payload;
  wire::close_netstring(closed, start);
  require(appended == closed);
  const auto parsed = wire::parse_netstring(appended, payload.size());
  if (payload.size() > 99'999) return;
  const auto* frame = std::get_if<wire::Frame>(&parsed);
  require(frame != nullptr && frame->payload == payload && frame->consumed == appended.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size <= 2 * kLimit) check_byte_by_byte(input);
  check_round_trip(input);
  return 0;
}
