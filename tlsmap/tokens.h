// How Postfix cuts a policy into words and a word into name and value (util/mystrtok.c,
// util/extpar.c, util/split_nameval.c). Knows no attribute. Views point into the text.
#pragma once

#include <string_view>

namespace tlsmap {

// CHARS_COMMA_SP: what stands between the attributes of a policy [F 2.3.1].
[[nodiscard]] constexpr bool is_separator(char c) {
  return c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n';
}

// Without the blanks around it; a comma is none.
std::string_view strip_blanks(std::string_view text);

// Cuts one token off the front of `rest`; empty at the end. `has_braces`: mystrtokq(), which
// doesn't look for separators inside braces; else mystrtok().
std::string_view take_token(std::string_view& rest, bool has_braces);

struct NameValue {
  std::string_view name;
  std::string_view value;
  std::string_view fault;  // in Postfix's words; then the others mean nothing
};
// "name=value", or with `has_braces` also "{ name = value }".
NameValue split_token(std::string_view token, bool has_braces);

}  // namespace tlsmap
