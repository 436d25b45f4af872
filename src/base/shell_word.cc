#include "src/base/shell_word.h"

#include <algorithm>

#include "src/base/text.h"

namespace base {

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = ".-_/:";
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [=](char c) {
    return is_alnum(c) || kPlain.find(c) != kPlain.npos;
  });
  if (is_plain) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') word += "'\\'";  // ends the quotes, and the next one begins them again
    word += c;
  }
  return word + "'";
}

}  // namespace base
