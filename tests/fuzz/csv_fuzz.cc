// Any bytes as CSV: records come in order of their lines, and a sound record written out again
// reads the same and alone.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "src/wire/csv.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_record(const wire::CsvRecord& record) {
  std::string line;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    if (i > 0) line += ',';
    wire::append_csv_field(line, record.fields[i]);
  }
  // One empty field alone is an empty line, and no record.
  if (line.empty()) return;
  if (line.starts_with(wire::kByteOrderMark)) return;
  line += '\n';
  wire::CsvReader reader(line);
  const auto again = reader.next();
  require(again.has_value() && again->fault.empty() && again->fields == record.fields);
  require(!reader.next().has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  wire::CsvReader reader(text);
  std::size_t before = 0;
  while (const auto record = reader.next()) {
    require(record->line > before && !record->fields.empty());
    before = record->line;
    if (record->fault.empty()) check_record(*record);
  }
  return 0;
}
