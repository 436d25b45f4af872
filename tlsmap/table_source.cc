#include "tlsmap/table_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace tlsmap {
namespace {

// C's isspace(), which Postfix asks here: more than what stands between attributes.
constexpr std::string_view kSpace = " \t\n\v\f\r";

constexpr bool is_space(char c) {
  return kSpace.find(c) != std::string_view::npos;
}

bool is_comment_or_blank(std::string_view line) {
  const auto first = line.find_first_not_of(kSpace);
  return first == std::string_view::npos || line[first] == '#';
}

// Where the key ends: at the first white space outside of double quotes. Nothing where a quote is
// left open.
std::optional<std::size_t> find_end_of_key(std::string_view line) {
  bool in_quotes = false;
  std::size_t at = 0;
  for (; at < line.size(); ++at) {
    if (line[at] == '\\') {
      if (++at == line.size()) break;
    } else if (is_space(line[at])) {
      if (!in_quotes) break;
    } else if (line[at] == '"') {
      in_quotes = !in_quotes;
    }
  }
  if (in_quotes) return std::nullopt;
  return at;
}

}  // namespace

std::string_view SourceReader::take_line() {
  const auto end = rest_.find('\n');
  const auto line = rest_.substr(0, end);
  rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
  ++line_;
  return line;
}

// Comments and empty lines may stand between a line and its continuation.
std::string_view SourceReader::take_logical_line(std::size_t& first) {
  std::string_view logical;
  bool is_joined = false;
  while (!rest_.empty()) {
    const auto line = take_line();
    if (!is_comment_or_blank(line)) {
      if (logical.empty()) {
        logical = line;
        first = line_;
      } else {
        if (!is_joined) joined_ = logical;
        is_joined = true;
        joined_ += line;
      }
    }
    const bool goes_on = !rest_.empty() && (rest_.front() == '#' || is_space(rest_.front()));
    if (!logical.empty() && !goes_on) break;
  }
  return is_joined ? std::string_view(joined_) : logical;
}

std::optional<SourceLine> SourceReader::next_line() {
  SourceLine found;
  found.text = take_logical_line(found.line);
  if (found.text.empty()) return std::nullopt;
  return found;
}

std::optional<std::variant<SourceEntry, SourceFault>> SourceReader::next() {
  std::size_t first = 0;
  const auto line = take_logical_line(first);
  if (line.empty()) return std::nullopt;
  const auto fault = [&](std::string text) { return SourceFault{first, std::move(text)}; };
  if (is_space(line.front())) {
    return fault("it begins with white space, but no line stands before it that it could continue");
  }
  if (line.find('\0') != line.npos) return fault("it has a NUL byte, where Postfix would end it");
  const auto end = find_end_of_key(line);
  if (!end) return fault("a double quote is left open in the key");
  const auto key = line.substr(0, *end);
  const auto begin = line.find_first_not_of(kSpace, *end);
  if (begin == line.npos) {
    return fault(fmt::format("\"{}\" has no value; expected is: destination, white space, policy",
                             base::printable(key, 100)));
  }
  if (key.ends_with(':')) {
    return fault(
        fmt::format("\"{}\" ends in a colon, as in an alias file; expected is: destination, white "
                    "space, policy",
                    base::printable(key, 100)));
  }
  const auto last = line.find_last_not_of(kSpace);
  return SourceEntry{first, key, line.substr(begin, last - begin + 1)};
}

}  // namespace tlsmap
