#include "tlsmap/tokens.h"

namespace tlsmap {
namespace {

constexpr bool is_blank(char c) {
  return is_separator(c) && c != ',';
}

// util/split_nameval.c.
NameValue split_name_value(std::string_view token) {
  const auto equals = token.find('=');
  const auto name = strip_blanks(token.substr(0, equals));
  if (name.empty()) return {{}, {}, "missing attribute name"};
  if (equals == token.npos || name.find_first_of(" \t\r\n") != name.npos) {
    return {{}, {}, "missing '=' after attribute name"};
  }
  return {name, strip_blanks(token.substr(equals + 1)), {}};
}

}  // namespace

std::string_view strip_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_token(std::string_view& rest, bool has_braces) {
  std::size_t begin = 0;
  while (begin < rest.size() && is_separator(rest[begin])) ++begin;
  std::size_t end = begin;
  for (int depth = 0; end < rest.size(); ++end) {
    const char c = rest[end];
    if (has_braces && c == '{') {
      ++depth;
    } else if (depth > 0 && c == '}') {
      --depth;
    } else if (depth == 0 && is_separator(c)) {
      break;
    }
  }
  const auto token = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return token;
}

NameValue split_token(std::string_view token, bool has_braces) {
  if (!has_braces || !token.starts_with('{')) return split_name_value(token);
  // util/extpar.c: the brace that closes the first one must be the last character.
  int depth = 0;
  for (std::size_t at = 0; at < token.size(); ++at) {
    if (token[at] == '{') ++depth;
    if (token[at] != '}' || --depth > 0) continue;
    if (at + 1 < token.size()) return {{}, {}, "syntax error after '}'"};
    return split_name_value(strip_blanks(token.substr(1, at - 1)));
  }
  return {{}, {}, "missing '}'"};
}

}  // namespace tlsmap
