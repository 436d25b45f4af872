// "1 row", "2 rows": a number and what it counts, as people say it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace base {

// `one` or `many`, as the number has it: for words that stand apart from it, and for verbs.
[[nodiscard]] constexpr std::string_view one_or_many(std::integral auto count, std::string_view one,
                                                     std::string_view many) {
  return count == 1 ? one : many;
}

[[nodiscard]] std::string counted(std::integral auto count, std::string_view one,
                                  std::string_view many) {
  return std::to_string(count).append(" ").append(one_or_many(count, one, many));
}
// The usual plural, by an s.
[[nodiscard]] std::string counted(std::integral auto count, std::string_view one) {
  return counted(count, one, std::string(one).append("s"));
}

}  // namespace base
