#include "src/model/client_match.h"

#include <arpa/inet.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::AddressBytes;
using model::parse_address;

namespace {

// inet_pton(3) is the judge.
std::optional<AddressBytes> parsed_by_libc(const std::string& text) {
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

}  // namespace

TEST_CASE("an address is what the C library takes for one") {
  for (const std::string text :
       {"192.0.2.1", "0.0.0.0", "255.255.255.255", "10.0.0.99", "1.2.3.4", "100.200.30.40", "::1",
        "::", "2001:db8::1", "::ffff:192.0.2.1", "2001:db8:0:1:2:3:4:5", "::192.0.2.1"}) {
    INFO(text);
    REQUIRE(parsed_by_libc(text).has_value());
    CHECK(parse_address(text) == parsed_by_libc(text));
  }
}

TEST_CASE("a text that is nearly an address is none") {
  for (const std::string text : {"",
                                 ".",
                                 "1",
                                 "1.2.3",
                                 "1.2.3.",
                                 "1.2.3.4.",
                                 ".1.2.3.4",
                                 "1..3.4",
                                 "1.2.3.4.5",
                                 "1.2.3.256",
                                 "256.2.3.4",
                                 "1.2.3.1000",
                                 "01.2.3.4",
                                 "1.2.3.04",
                                 "1.2.3.00",
                                 "+1.2.3.4",
                                 "-1.2.3.4",
                                 "1.2.3.+4",
                                 " 1.2.3.4",
                                 "1.2.3.4 ",
                                 "1.2.3.4/24",
                                 "1.2.3.4x",
                                 "1,2,3,4",
                                 "0x1.2.3.4",
                                 "unknown",
                                 "mx.example.com",
                                 ":",
                                 ":::",
                                 "2001:db8::1::2",
                                 "2001:db8::g",
                                 "::ffff:1.2.3",
                                 "[::1]",
                                 "fe80::1%eth0",
                                 "1111:2222:3333:4444:5555:6666:7777:8888:9999"}) {
    INFO(text);
    REQUIRE_FALSE(parsed_by_libc(text).has_value());
    CHECK_FALSE(parse_address(text).has_value());
  }
}

TEST_CASE("bytes that end a text for the C library end no address") {
  CHECK_FALSE(parse_address(std::string("192.0.2.1\0", 10)).has_value());
  CHECK_FALSE(parse_address(std::string("192.0.2.1\0.example", 18)).has_value());
  CHECK_FALSE(parse_address(std::string("2001:db8::1\0", 12)).has_value());
}

TEST_CASE("every number of an address counts") {
  for (int number = 0; number < 256; ++number) {
    for (std::size_t at = 0; at < 4; ++at) {
      std::vector<int> numbers{7, 7, 7, 7};
      numbers.at(at) = number;
      const auto text = std::to_string(numbers[0]) + "." + std::to_string(numbers[1]) + "." +
                        std::to_string(numbers[2]) + "." + std::to_string(numbers[3]);
      REQUIRE(parse_address(text) == parsed_by_libc(text));
    }
  }
}
