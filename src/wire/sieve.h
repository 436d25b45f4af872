// The redirect commands of a Sieve script (RFC 5228 4.2), for whoever wants to know where it may
// send mail. Reads tokens, not meaning: whether a redirect is ever reached is not asked.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace wire {

struct SieveRedirect {
  std::size_t line = 0;  // where the command begins, counted from 1
  std::string address;   // the command's last string, as it stands in the script
  bool is_list = false;  // with :list (RFC 6134), where the string names a list of addresses
};

// Calls `visit` for each redirect, in order; false ends the reading. An address of more than
// kLongestRedirect bytes is cut there. The error names the line of a string or comment that is left
// open: what follows it can't be read.
inline constexpr std::size_t kLongestRedirect = 1'000;
base::Result<void> read_redirects(std::string_view script,
                                  const std::function<bool(const SieveRedirect&)>& visit);

}  // namespace wire
