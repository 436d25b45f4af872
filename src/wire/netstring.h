// Netstrings as Postfix's socketmap client speaks them (util/netstring.c), with tighter bounds: at
// most five digits, no leading zero but for "0:", no sign, no blank. Bytes in, values out; no
// state, no I/O.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace wire {

struct NeedMore {};
struct Malformed {
  std::string_view why;
};
struct Frame {
  std::string_view payload;  // points into the input
  std::size_t consumed = 0;  // digits, colon, payload and comma
};
using ParsedNetstring = std::variant<NeedMore, Frame, Malformed>;

// What the longest length, the colon and the comma add to a payload.
inline constexpr std::size_t kNetstringOverhead = 7;

// Looks for one netstring at the start of `input`. Call again with more bytes after NeedMore; a
// length over `limit` is Malformed as soon as its digits say so, never waited for.
ParsedNetstring parse_netstring(std::string_view input, std::size_t limit);

// Appends `payload` as a netstring.
void append_netstring(std::string& out, std::string_view payload);

// Begins a netstring whose payload is written in place, at the end of `out`: returns where it
// begins, for close_netstring().
std::size_t open_netstring(std::string& out);
void close_netstring(std::string& out, std::size_t start);

}  // namespace wire
