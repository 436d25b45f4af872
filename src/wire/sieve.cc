#include "src/wire/sieve.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "src/base/text.h"

namespace wire {
namespace {

struct Token {
  enum class Kind : std::uint8_t { Word, Tag, Text, Mark };
  Kind kind = Kind::Mark;
  std::size_t line = 0;
  std::string text;  // of a Text what stands between the quotes; of a Mark one byte
};

constexpr bool is_word(char c) {
  return base::is_alnum(c) || c == '_';
}

// RFC 5228 2.1 to 2.4 and 8.1, the lexical tokens.
class Lexer {
 public:
  explicit Lexer(std::string_view script) : rest_(script) {}

  // Nothing at the end, or where error() says why it can't go on.
  std::optional<Token> next();
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void skip(std::size_t count);
  bool skip_comments();
  bool take_quoted(Token& token);
  bool take_lines(Token& token);
  bool fail(std::size_t line, std::string_view what) {
    error_ = fmt::format("line {}: {} is left open", line, what);
    return false;
  }
  // Of a text no more is kept than a redirect may need.
  static void keep(std::string& text, char c) {
    if (text.size() < kLongestRedirect) text += c;
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::string error_;
};

void Lexer::skip(std::size_t count) {
  const auto passed = rest_.substr(0, count);
  line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
  rest_.remove_prefix(passed.size());
}

bool Lexer::skip_comments() {
  for (;;) {
    const auto begin = rest_.find_first_not_of(" \t\r\n");
    skip(std::min(begin, rest_.size()));
    if (rest_.starts_with('#')) {
      skip(std::min(rest_.find('\n'), rest_.size()));
    } else if (rest_.starts_with("/*")) {
      const auto end = rest_.find("*/", 2);
      if (end == rest_.npos) return fail(line_, "a comment");
      skip(end + 2);
    } else {
      return true;
    }
  }
}

bool Lexer::take_quoted(Token& token) {
  std::size_t at = 1;
  for (; at < rest_.size() && rest_[at] != '"'; ++at) {
    if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
    keep(token.text, rest_[at]);
  }
  if (at == rest_.size()) return fail(token.line, "a string");
  skip(at + 1);
  return true;
}

// text: ... lines up to one with a dot alone; a dot that begins a line is doubled.
bool Lexer::take_lines(Token& token) {
  skip(rest_.find('\n') + 1);
  while (!rest_.empty()) {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    auto line = rest_.substr(0, end);
    skip(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == ".") return true;
    if (line.starts_with('.')) line.remove_prefix(1);
    for (const char c : line) keep(token.text, c);
  }
  return fail(token.line, "a text:");
}

// "text:" and nothing but blanks or a comment to the end of its line.
bool opens_lines(std::string_view rest) {
  constexpr std::string_view kText = "text:";
  if (!base::is_equal_ignoring_case(rest.substr(0, kText.size()), kText)) return false;
  rest.remove_prefix(kText.size());
  const auto begin = rest.find_first_not_of(" \t\r");
  if (begin == rest.npos) return false;
  return rest[begin] == '\n' || (rest[begin] == '#' && rest.find('\n') != rest.npos);
}

std::optional<Token> Lexer::next() {
  if (!skip_comments() || rest_.empty()) return std::nullopt;
  Token token;
  token.line = line_;
  const char first = rest_.front();
  if (first == '"') {
    token.kind = Token::Kind::Text;
    return take_quoted(token) ? std::optional(std::move(token)) : std::nullopt;
  }
  if (opens_lines(rest_)) {
    token.kind = Token::Kind::Text;
    return take_lines(token) ? std::optional(std::move(token)) : std::nullopt;
  }
  const bool is_tag = first == ':';
  std::size_t end = 1;
  if (is_tag || is_word(first)) {
    while (end < rest_.size() && is_word(rest_[end])) ++end;
    token.kind = is_tag ? Token::Kind::Tag : Token::Kind::Word;
  }
  token.text = base::to_lower(rest_.substr(0, std::min(end, kLongestRedirect)));
  rest_.remove_prefix(end);
  return token;
}

}  // namespace

base::Result<void> read_redirects(std::string_view script,
                                  const std::function<bool(const SieveRedirect&)>& visit) {
  Lexer lexer(script);
  std::optional<SieveRedirect> open;
  while (auto token = lexer.next()) {
    if (token->kind == Token::Kind::Word && token->text == "redirect") {
      open.emplace().line = token->line;
    } else if (!open) {
      continue;
    } else if (token->kind == Token::Kind::Text) {
      open->address = std::move(token->text);
    } else if (token->kind == Token::Kind::Tag) {
      open->is_list = open->is_list || token->text == ":list";
    } else if (token->kind == Token::Kind::Mark && token->text == ";") {
      if (!visit(*open)) return {};
      open.reset();
    }
  }
  if (!lexer.error().empty()) return base::Error{lexer.error()};
  if (open && !open->address.empty()) visit(*open);
  return {};
}

}  // namespace wire
