// Comma-separated values, RFC 4180, read and written. Knows no columns: bytes in, fields out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wire {

// A spreadsheet puts it before UTF-8; not part of the first field.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct CsvRecord {
  std::size_t line = 0;  // where it begins, counted from 1
  std::vector<std::string> fields;
  std::string_view fault;  // not empty: what is wrong with the record; reading can go on behind it
};

// Lines end with LF or CR LF, those inside quotes are part of their field; empty lines are no
// records. A quote is a quote at the beginning of a field alone.
class CsvReader {
 public:
  // `text` outlives the reader.
  explicit CsvReader(std::string_view text);

  // Nothing at the end.
  std::optional<CsvRecord> next();

 private:
  void read_quoted(CsvRecord& record);
  void read_bare(CsvRecord& record);
  void skip_line();

  std::string_view rest_;
  std::size_t line_ = 1;
};

// With quotes where the value needs them.
void append_csv_field(std::string& out, std::string_view value);

// The same for text of unknown origin in a file that people open in a spreadsheet: what such a
// program would take for a formula gets an apostrophe in front, which shows it as text.
void append_csv_text(std::string& out, std::string_view value);

}  // namespace wire
