// Says what the model of Postfix's policy grammar says, for the test that compares it with a real
// Postfix: a line `VERSION TAB TEXT` in, `ok` or the objection out. \xHH in TEXT is one byte.
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/postfix_version.h"
#include "tlsmap/grammar.h"

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    if (at + 3 >= text.size() || text[at + 1] != 'x') return std::nullopt;
    const int high = hex_value(text[at + 2]);
    const int low = hex_value(text[at + 3]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
    at += 3;
  }
  return bytes;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    const auto version = model::parse_postfix_version(std::string_view(line).substr(0, tab));
    const auto text =
        tab == std::string::npos ? std::nullopt : unescape(std::string_view(line).substr(tab + 1));
    if (!version || !text) {
      std::cerr << "grammar_probe: not VERSION TAB TEXT: " << line << '\n';
      return 2;
    }
    std::cout << tlsmap::find_objection(*text, *version).value_or("ok") << '\n';
  }
  return 0;
}
