#include "src/base/text.h"

#include <cstdint>

#include "src/base/counted.h"
#include "src/base/shell_word.h"
#include "tests/unit/catch.h"

using namespace base;

TEST_CASE("text: what is printed holds no control byte, no high byte and no more than asked") {
  CHECK(printable("plain text ~") == "plain text ~");
  CHECK(printable(std::string_view("a\0b\n\x1b[31m\x7f", 10)) == "a?b??[31m?");
  CHECK(printable("b\xc3\xbc") == "b??");
  CHECK(printable("abcdef", 3) == "abc");
  CHECK(printable("").empty());
}

TEST_CASE("text: folding touches ASCII letters alone") {
  CHECK(to_lower("MiXed-09_.\xc3\x9c") == "mixed-09_.\xc3\x9c");
  CHECK(to_lower('@') == '@');
  CHECK(to_lower('[') == '[');
  CHECK(is_equal_ignoring_case("TLSv1.2", "tlsV1.2"));
  CHECK_FALSE(is_equal_ignoring_case("abc", "abcd"));
  CHECK_FALSE(is_equal_ignoring_case("@", "`"));
}

TEST_CASE("text: each byte is folded the same wherever it stands") {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    for (std::size_t size = 1; size <= 17; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, '\xff');
        text[at] = c;
        std::string folded(size, '\xff');
        folded[at] = to_lower(c);
        REQUIRE(to_lower(text) == folded);
      }
    }
  }
}

TEST_CASE("text: trim takes blanks, tabs and line ends from both ends alone") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim("\n \t").empty());
  CHECK(trim("").empty());
  CHECK(trim("x") == "x");
}

TEST_CASE("text: split leaves empty parts out, join puts parts together again") {
  CHECK(split(", a ,,b", ", ") == std::vector<std::string_view>{"a", "b"});
  CHECK(split("", ",").empty());
  CHECK(split(",,", ",").empty());
  CHECK(split("one", ",") == std::vector<std::string_view>{"one"});
  CHECK(join({"a", "b", "c"}, ", ") == "a, b, c");
  CHECK(join({}, ", ").empty());
}

TEST_CASE("text: a number is decimal digits within the range of its type, and nothing else") {
  CHECK(parse_number<std::uint16_t>("65535") == std::uint16_t{65535});
  CHECK(parse_number<std::uint16_t>("007") == std::uint16_t{7});
  for (const auto* bad : {"", "-1", "+1", " 1", "1 ", "0x10", "65536", "1e3", "ten"}) {
    INFO(bad);
    CHECK_FALSE(parse_number<std::uint16_t>(bad));
  }
}

TEST_CASE("text: one of a kind is not called many") {
  CHECK(counted(std::uint64_t{1}, "row") == "1 row");
  CHECK(counted(0, "row") == "0 rows");
  CHECK(counted(std::int64_t{2}, "row") == "2 rows");
  CHECK(counted(1, "delivery", "deliveries") == "1 delivery");
  CHECK(counted(-1, "delivery", "deliveries") == "-1 deliveries");
  CHECK(one_or_many(1, "is", "are") == "is");
  CHECK(one_or_many(2, "is", "are") == "are");
}

TEST_CASE("a shell word reads as the text that it was made of") {
  CHECK(base::shell_word("mx.example.com:25") == "mx.example.com:25");
  CHECK(base::shell_word("") == "''");
  CHECK(base::shell_word("[mx.example]:587") == "'[mx.example]:587'");
  CHECK(base::shell_word("$(reboot)") == "'$(reboot)'");
  CHECK(base::shell_word("a'b c") == "'a'\\''b c'");
}
