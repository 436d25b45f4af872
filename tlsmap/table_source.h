// The source of a Postfix table, line by line as postmap(1) reads it: util/readlline.c for what a
// logical line is, postmap/postmap.c postmap_create() for its key and value. Knows nothing of TLS.
// Sees text alone: no I/O, no limits but the text's own length.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tlsmap {

// Views live until the next call of next().
struct SourceEntry {
  std::size_t line = 0;  // where the logical line begins, counted from 1
  std::string_view key;
  std::string_view value;  // continuation lines joined, blanks around it gone; never empty
};

// A line that postmap(1) would warn of and leave out, or read otherwise than it looks.
struct SourceFault {
  std::size_t line = 0;
  std::string text;
};

// A logical line as it stands: continuation lines joined, comments and empty lines gone.
struct SourceLine {
  std::size_t line = 0;
  std::string_view text;  // lives until the next call
};

class SourceReader {
 public:
  // `text` outlives the reader.
  explicit SourceReader(std::string_view text) : rest_(text) {}

  // For tables of another form than key, white space, value. Nothing at the end.
  std::optional<SourceLine> next_line();

  // Nothing at the end.
  std::optional<std::variant<SourceEntry, SourceFault>> next();

 private:
  std::string_view take_line();
  std::string_view take_logical_line(std::size_t& first);

  std::string_view rest_;
  std::size_t line_ = 0;
  std::string joined_;
};

}  // namespace tlsmap
