#include "src/wire/netstring.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/catch.h"

using wire::append_netstring;
using wire::close_netstring;
using wire::Frame;
using wire::Malformed;
using wire::NeedMore;
using wire::open_netstring;
using wire::parse_netstring;

namespace {

constexpr std::size_t kLimit = 1000;

bool is_waiting(std::string_view input) {
  return std::holds_alternative<NeedMore>(parse_netstring(input, kLimit));
}

std::string reason(std::string_view input, std::size_t limit = kLimit) {
  const auto parsed = parse_netstring(input, limit);
  const auto* malformed = std::get_if<Malformed>(&parsed);
  return malformed == nullptr ? "" : std::string(malformed->why);
}

}  // namespace

TEST_CASE("a whole netstring gives its payload and its exact length") {
  const std::vector<std::pair<std::string, std::string>> good{
      {"0:,", ""}, {"1:,,", ","}, {"13:policy a.test,", "policy a.test"}};
  for (const auto& [input, payload] : good) {
    const auto followed = input + "7:another";
    const auto parsed = parse_netstring(followed, kLimit);
    const auto* frame = std::get_if<Frame>(&parsed);
    INFO(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->payload == payload);
    CHECK(frame->consumed == input.size());
  }
}

TEST_CASE("a payload may hold any byte") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  std::string input;
  append_netstring(input, every);
  const auto parsed = parse_netstring(input, kLimit);
  REQUIRE(std::holds_alternative<Frame>(parsed));
  CHECK(std::get<Frame>(parsed).payload == every);
}

TEST_CASE("each strict prefix of a good netstring is waited for") {
  const std::string good = "13:policy a.test,";
  for (std::size_t length = 0; length < good.size(); ++length) {
    INFO(good.substr(0, length));
    CHECK(is_waiting(good.substr(0, length)));
  }
}

TEST_CASE("a malformed netstring is named at its first bad byte, never waited for") {
  const std::vector<std::pair<std::string, std::string>> bad{
      {":", "not a digit where a length begins"},
      {"-1:", "not a digit where a length begins"},
      {"+1:", "not a digit where a length begins"},
      {" 1:", "not a digit where a length begins"},
      {"GET / HTTP/1.1", "not a digit where a length begins"},
      {"\x16\x03\x01", "not a digit where a length begins"},
      {"00", "a length with a leading zero"},
      {"01:a,", "a length with a leading zero"},
      {"1 :a,", "no colon after the length"},
      {"0x1:a,", "no colon after the length"},
      {"1001", "a length over the limit"},
      {"5368709120:", "a length over the limit"},
      {"1:ab", "no comma after the payload"},
      {"0:\n", "no comma after the payload"}};
  for (const auto& [input, why] : bad) {
    INFO(input);
    CHECK(reason(input) == why);
  }
}

TEST_CASE("a length of six digits is malformed whatever the limit") {
  CHECK(reason("100000", 10'000'000) == "a length of more than five digits");
  CHECK(reason("99999", 10'000'000).empty());
}

TEST_CASE("the limit itself is a good length, one more is not") {
  CHECK(reason("1000:").empty());
  CHECK(reason("1001:") == "a length over the limit");
  CHECK(reason("0:,", 0).empty());
}

TEST_CASE("what is appended comes back, however it was written") {
  for (const std::size_t length : {0U, 1U, 9U, 10U, 99U, 100U, 999U, 1000U}) {
    const std::string payload(length, 'x');
    std::string appended = "kept";
    append_netstring(appended, payload);
    std::string closed = "kept";
    const auto start = open_netstring(closed);
    closed += payload;
    close_netstring(closed, start);
    CHECK(closed == appended);
    const auto parsed = parse_netstring(std::string_view(appended).substr(4), kLimit);
    REQUIRE(std::holds_alternative<Frame>(parsed));
    CHECK(std::get<Frame>(parsed).payload == payload);
  }
}
