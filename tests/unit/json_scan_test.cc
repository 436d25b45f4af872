// The strict reader of JSON beside a general library: the same texts are JSON to both.
#include "src/wire/json_scan.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tests/unit/catch.h"

namespace {

bool is_taken(std::string_view text, const wire::JsonScan::Limits& limits = {}) {
  wire::JsonScan scan(text, limits);
  scan.skip_value();
  scan.finish();
  return scan.fault().empty();
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  wire::JsonScan scan(text, {});
  const auto number = scan.take_integer();
  scan.finish();
  if (!scan.fault().empty()) return std::nullopt;
  return number;
}

}  // namespace

TEST_CASE("json scan: what is JSON to others is JSON here, and what is none is none") {
  for (const std::string text : {"null",
                                 "true",
                                 "false",
                                 "nul",
                                 "tru",
                                 "fals",
                                 "",
                                 " ",
                                 "0",
                                 "-0",
                                 "-",
                                 "01",
                                 "-01",
                                 "1.5",
                                 "1.",
                                 ".5",
                                 "1e5",
                                 "1E+5",
                                 "1e-05",
                                 "1e",
                                 "1e+",
                                 "--1",
                                 "+1",
                                 "1 2",
                                 "\"\"",
                                 "\"a",
                                 "\"\\n\"",
                                 "\"\\x\"",
                                 "\"\\",
                                 "\"\\u12aF\"",
                                 "\"\\u12g0\"",
                                 "\"\\u12",
                                 "\"a\nb\"",
                                 "\"\\\"\"",
                                 "[]",
                                 "[1]",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "[1,2",
                                 "[",
                                 "]",
                                 "{}",
                                 "{\"a\":1}",
                                 "{\"a\" 1}",
                                 "{\"a\":}",
                                 "{a:1}",
                                 "{\"a\":1,}",
                                 "{\"a\":1 \"b\":2}",
                                 "{",
                                 "{\"a\":[null,{\"b\":\"c\"}]}",
                                 "{\"a\":1}}",
                                 "\t[ 1 ,\r\n{ } ] "}) {
    INFO(text);
    CHECK(is_taken(text) == nlohmann::json::accept(text));
  }
}

TEST_CASE("json scan: a key that stands twice is refused, also by an escape of it") {
  CHECK_FALSE(is_taken(R"({"a":1,"a":1})"));
  CHECK_FALSE(is_taken(R"({"a":1,"\u0061":1})"));
  CHECK(is_taken(R"({"a":1,"b":{"a":1}})"));
}

TEST_CASE("json scan: bytes that are no UTF-8 are taken, as Postfix sends them") {
  CHECK(is_taken("\"\xff\xfe\""));
}

TEST_CASE("json scan: limits hold to the last one allowed") {
  CHECK(is_taken("[[]]", {2, 9, 9}));
  CHECK_FALSE(is_taken("[[[]]]", {2, 9, 9}));
  CHECK_FALSE(is_taken(R"([[{"a":1}]])", {2, 9, 9}));
  CHECK(is_taken("[1,2]", {9, 9, 2}));
  CHECK_FALSE(is_taken("[1,2,3]", {9, 9, 2}));
  CHECK(is_taken(R"({"a":1,"b":2})", {9, 2, 9}));
  CHECK_FALSE(is_taken(R"({"a":1,"b":2,"c":3})", {9, 2, 9}));
}

TEST_CASE("json scan: a whole number is one, and nothing that only begins like one") {
  CHECK(integer_in("0") == 0);
  CHECK(integer_in(" -17 ") == -17);
  CHECK(integer_in("9223372036854775807") == INT64_MAX);
  for (const auto* text :
       {"", "-", "01", "-01", "1.0", "1e3", "1E3", "9223372036854775808", "x", "\"1\""}) {
    INFO(text);
    CHECK_FALSE(integer_in(text).has_value());
  }
}

TEST_CASE("json scan: after the first fault every call fails, and the first one is told") {
  wire::JsonScan scan("{", {});
  bool is_plain = true;
  scan.take_array([] { FAIL("there is no item"); });
  CHECK(scan.take_string(is_plain).empty());
  CHECK(scan.take_integer() == 0);
  scan.take_object([](std::string_view) { FAIL("there is no member"); });
  CHECK(scan.fault() == "an array is missing");
}
