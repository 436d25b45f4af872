// One line of a mail log as smtp(8) writes it, and the fact that it must tell. For tests alone.
#pragma once

#include <string>
#include <variant>

#include "src/wire/maillog.h"
#include "tests/unit/catch.h"

namespace test {

inline const std::string kHead = "Nov 22 03:12:47 mail postfix/smtp[4242]: ";
inline const std::string kStatus =
    "4ABC: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, delay=0.4, "
    "delays=0.1/0.01/0.29/0, ";

template <class Fact>
Fact fact_of(const std::string& line) {
  INFO(line);
  const auto parsed = wire::parse_log_line(line);
  REQUIRE(parsed);
  REQUIRE(std::holds_alternative<Fact>(parsed->fact));
  return std::get<Fact>(parsed->fact);
}

}  // namespace test
