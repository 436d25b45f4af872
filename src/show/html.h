// The pieces that the page is put together from: escaped text, times, numbers, tables. Whatever
// comes from outside this folder goes through escape(), or through a function that does it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace show {

// As the content of an element, or of an attribute in double quotes. What is not UTF-8, or acts
// instead of being seen, becomes U+FFFD; line ends and tabs become blanks.
std::string escape(std::string_view text);

// "12,345".
std::string count_text(std::uint64_t count);
// The same of a sum that may be past 2^64; at least 0.
std::string rounded_text(double count);
// "1 row", "12,345 rows".
std::string count_text(std::uint64_t count, std::string_view one, std::string_view many);

// "2026-11-22 18:15 UTC"; "never" for 0 and what is before.
std::string moment_text(std::int64_t at);

// <time>: the distance ("in 3 h") and, smaller, the moment. `none` where at is 0, as it stands.
std::string time_html(std::int64_t at, std::int64_t now, std::string_view none);

// A table that becomes a list of blocks where it has no room. Roles are said in so many words,
// because a browser forgets them with `display: block`.
class TableHtml {
 public:
  // A word has room for itself, prose for some of them, where there is any.
  enum class Kind : std::uint8_t { Text, Word, Prose, Number };
  enum class Layout : std::uint8_t {
    Blocks,
    Compact
  };  // compact: few and short columns, always a table
  struct Column {
    std::string_view name;
    Kind kind = Kind::Text;
  };

  // `caption` names the table to who can't see what stands above it. Both are ours, not escaped.
  TableHtml(std::string_view caption, std::vector<Column> columns, Layout layout = Layout::Blocks);
  // Cells are HTML, escaped by whoever made them; the first one names the row. Missing ones are
  // left empty.
  void add(const std::vector<std::string>& cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string render() const;

 private:
  std::string_view caption_;
  std::vector<Column> columns_;
  Layout layout_;
  std::string rows_;
};

// <section> with its heading; `id` is a word of ours.
std::string section_html(std::string_view id, std::string_view heading, std::string_view content);

// <p class=...>; `text` is escaped.
std::string paragraph(std::string_view kind, std::string_view text);

// "<b>main</b><small>aside</small>": a cell with a second, quieter line; both are escaped, an empty
// aside is left out.
std::string with_aside(std::string_view text, std::string_view aside);

}  // namespace show
