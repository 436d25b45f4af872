// Where files of forwards send mail: aliases(5), virtual(5), and the redirects of Sieve scripts. A
// forward is an address elsewhere; local names, commands and files are none. Text in, addresses
// out; no I/O, and no word on which of the domains are our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace tlsmap {

enum class ForwardFormat : std::uint8_t {
  Aliases,  // name: value, value (postalias(1))
  Virtual,  // pattern, white space, address, address (postmap(1); also regexp: and pcre: tables)
  Sieve,    // RFC 5228
};
// "aliases", "virtual", "sieve".
std::optional<ForwardFormat> parse_forward_format(std::string_view word);
// By the file's name where it ends in .sieve or .siv, else by its first line.
ForwardFormat guess_forward_format(std::string_view file, std::string_view text);

struct Forward {
  std::size_t line = 0;  // where the entry begins, counted from 1
  std::string address;   // without quotes, comments and angle brackets; as written otherwise
  std::string domain;    // behind the last '@'
  // Not empty: where the mail goes isn't written here, and why that is. `address` is what stands
  // there, `domain` is empty then.
  std::string unknown;
};

inline constexpr std::size_t kLongestForward = 1'000;
inline constexpr std::size_t kMostForwards = 1'000'000;

// In order of their lines. The error says why the text can't be read to its end.
base::Result<std::vector<Forward>> read_forwards(std::string_view text, ForwardFormat format);

}  // namespace tlsmap
