#include "src/wire/csv.h"

#include <algorithm>

namespace wire {

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

// Leaves the comma or line end behind the field in place.
void CsvReader::read_quoted(CsvRecord& record) {
  auto& field = record.fields.emplace_back();
  rest_.remove_prefix(1);
  for (;;) {
    const auto quote = rest_.find('"');
    const auto inside = rest_.substr(0, quote);
    line_ += static_cast<std::size_t>(std::count(inside.begin(), inside.end(), '\n'));
    field += inside;
    if (quote == rest_.npos) {
      rest_ = {};
      record.fault = "a quote is left open to the end of the file";
      return;
    }
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    field += '"';
    rest_.remove_prefix(1);
  }
  const bool ends = rest_.empty() || rest_.front() == ',' || rest_.front() == '\n' ||
                    rest_.starts_with("\r\n") || rest_ == "\r";
  if (!ends) {
    record.fault = "text stands behind a closing quote; a quote inside quotes is written twice";
    skip_line();
  }
}

void CsvReader::read_bare(CsvRecord& record) {
  const auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
  auto field = rest_.substr(0, end);
  const bool ends_line = end == rest_.size() || rest_[end] == '\n';
  if (ends_line && field.ends_with('\r')) field.remove_suffix(1);
  if (field.find('"') != field.npos) {
    record.fault = "a quote stands inside a field; put the field into quotes, and write it twice";
  }
  record.fields.emplace_back(field);
  rest_.remove_prefix(end);
}

void CsvReader::skip_line() {
  rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
}

std::optional<CsvRecord> CsvReader::next() {
  for (;; ++line_) {
    if (rest_.starts_with('\n')) {
      rest_.remove_prefix(1);
    } else if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
    } else {
      break;
    }
  }
  if (rest_.empty() || rest_ == "\r") return std::nullopt;
  CsvRecord record;
  record.line = line_;
  for (;;) {
    rest_.starts_with('"') ? read_quoted(record) : read_bare(record);
    if (!rest_.starts_with(',')) break;
    rest_.remove_prefix(1);
  }
  if (rest_.starts_with('\r')) rest_.remove_prefix(1);
  if (rest_.starts_with('\n')) {
    rest_.remove_prefix(1);
    ++line_;
  }
  return record;
}

void append_csv_field(std::string& out, std::string_view value) {
  if (value.find_first_of(",\"\r\n") == value.npos) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_text(std::string& out, std::string_view value) {
  constexpr std::string_view kOpensFormula = "=+-@\t\r\n";
  const bool is_formula = !value.empty() && kOpensFormula.find(value.front()) != value.npos;
  append_csv_field(out, is_formula ? "'" + std::string(value) : std::string(value));
}

}  // namespace wire
