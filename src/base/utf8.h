// Text of doubtful origin, character by character. Knows UTF-8 and nothing of where it goes.
#pragma once

#include <string_view>

namespace base {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // bytes; 0: what `text` begins with is not UTF-8, or it is empty
};

// The first character of `text`. RFC 3629: no overlong forms, no surrogates, nothing above
// U+10FFFF.
CodePoint read_code_point(std::string_view text);

// False for what acts instead of being seen: controls, line separators, and marks that turn the
// direction of what follows.
[[nodiscard]] bool is_harmless(char32_t c);

}  // namespace base
