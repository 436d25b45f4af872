#include "tlsmap/table_source.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/unit/catch.h"

namespace {

// Each line as "LINE|key|value", or "LINE!" where it can't be read.
std::vector<std::string> read(std::string_view text) {
  std::vector<std::string> found;
  tlsmap::SourceReader reader(text);
  while (const auto item = reader.next()) {
    if (const auto* entry = std::get_if<tlsmap::SourceEntry>(&*item)) {
      found.push_back(fmt::format("{}|{}|{}", entry->line, entry->key, entry->value));
    } else {
      const auto& fault = std::get<tlsmap::SourceFault>(*item);
      CHECK_FALSE(fault.text.empty());
      found.push_back(fmt::format("{}!", fault.line));
    }
  }
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("table source: key, white space, value; comments and empty lines don't count") {
  CHECK(read("").empty());
  CHECK(read("\n \n# a b\n\t# c d\n").empty());
  CHECK(read("a.example encrypt") == Lines{"1|a.example|encrypt"});
  CHECK(read("# x\n\na\tmay\nb  secure\tmatch=c \t\r\n") ==
        Lines{"3|a|may", "4|b|secure\tmatch=c"});
}

TEST_CASE("table source: a line that begins with white space goes on with the one before") {
  CHECK(read("a encrypt\n ciphers=high\n\tprotocols=x\nb may\n") ==
        Lines{"1|a|encrypt ciphers=high\tprotocols=x", "4|b|may"});
  CHECK(read("a\n encrypt\n") == Lines{"1|a|encrypt"});
}

TEST_CASE("table source: comments and empty lines may stand inside a logical line") {
  CHECK(read("a encrypt\n# x\n\n ciphers=high\nb may") ==
        Lines{"1|a|encrypt ciphers=high", "5|b|may"});
  CHECK(read("a encrypt\n # x\nb may") == Lines{"1|a|encrypt", "3|b|may"});
}

TEST_CASE("table source: a hash behind the key is part of the value, as for postmap") {
  CHECK(read("a encrypt # why\n") == Lines{"1|a|encrypt # why"});
}

TEST_CASE("table source: a key may hold white space inside quotes") {
  CHECK(read("\"a b\" may\n") == Lines{"1|\"a b\"|may"});
  CHECK(read("\"a b may\nc may\n") == Lines{"1!", "2|c|may"});
  CHECK(read("a\\ b may\n") == Lines{"1|a\\ b|may"});
}

TEST_CASE("table source: what postmap would leave out is named with its line") {
  CHECK(read(" a may\nb may\n") == Lines{"1!", "2|b|may"});
  CHECK(read("\n a may\n b may\nc may\n") == Lines{"2!", "4|c|may"});
  CHECK(read("a\nb may\n") == Lines{"1!", "2|b|may"});
  CHECK(read("a: may\n") == Lines{"1!"});
  CHECK(read(std::string_view("a m\0y\nb may", 11)) == Lines{"1!", "2|b|may"});
}
