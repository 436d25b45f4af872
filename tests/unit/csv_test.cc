#include "src/wire/csv.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "src/base/text.h"
#include "tests/unit/catch.h"

namespace {

// Each record as "LINE:field|field", with a '!' behind it where something is wrong.
std::vector<std::string> read(std::string_view text) {
  std::vector<std::string> found;
  wire::CsvReader reader(text);
  while (const auto record = reader.next()) {
    found.push_back(fmt::format("{}:{}{}", record->line, base::join(record->fields, "|"),
                                record->fault.empty() ? "" : "!"));
  }
  return found;
}

using Records = std::vector<std::string>;

}  // namespace

TEST_CASE("csv: fields between commas, lines by LF or CR LF, empty lines skipped") {
  CHECK(read("").empty());
  CHECK(read("\n\r\n").empty());
  CHECK(read("a,b\nc,d") == Records{"1:a|b", "2:c|d"});
  CHECK(read("a,,\r\n\r\n,b\r\n") == Records{"1:a||", "3:|b"});
  CHECK(read("\xEF\xBB\xBF"
             "a,b\n") == Records{"1:a|b"});
}

TEST_CASE("csv: quoted fields hold commas, quotes and lines") {
  CHECK(read("\"a,b\",\"c \"\"d\"\"\"\n") == Records{"1:a,b|c \"d\""});
  CHECK(read("\"a\nb\",c\nd,e\n") == Records{"1:a\nb|c", "3:d|e"});
  CHECK(read("\"\",x\r\n\"y\"\r\n") == Records{"1:|x", "2:y"});
}

TEST_CASE("csv: misplaced quotes are named, and reading goes on behind the line") {
  CHECK(read("a\"b,c\nd\n") == Records{"1:a\"b|c!", "2:d"});
  CHECK(read("\"a\"b,c\nd\n") == Records{"1:a!", "2:d"});
  CHECK(read("\"a,b\nc\n") == Records{"1:a,b\nc\n!"});
}

TEST_CASE("csv: what a spreadsheet would run is written as text") {
  const auto written = [](std::string_view value) {
    std::string out;
    wire::append_csv_text(out, value);
    return out;
  };
  CHECK(written("=cmd|' /C calc'!A0") == "'=cmd|' /C calc'!A0");
  CHECK(written("+1") == "'+1");
  CHECK(written("-1,2") == "\"'-1,2\"");
  CHECK(written("@SUM(A1)") == "'@SUM(A1)");
  CHECK(written("\t=1") == "'\t=1");
  CHECK(written("bank.example") == "bank.example");
  CHECK(written("a=b").front() == 'a');
  CHECK(written("").empty());
}

TEST_CASE("csv: what is written reads the same") {
  const Records fields{"", "plain", "a,b", "say \"x\"", "two\nlines", "\"", " blank "};
  std::string line;
  for (const auto& field : fields) {
    if (&field != &fields.front()) line += ',';
    wire::append_csv_field(line, field);
  }
  wire::CsvReader reader(line);
  const auto record = reader.next();
  REQUIRE(record);
  CHECK(record->fields == fields);
  CHECK_FALSE(reader.next());
}
