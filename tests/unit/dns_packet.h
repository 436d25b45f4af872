// Writes DNS messages byte by byte for the tests, good ones and bad ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/wire/dns_message.h"

namespace dns_packet {

inline std::string number_16(unsigned number) {
  return {static_cast<char>(number >> 8U & 0xffU), static_cast<char>(number & 0xffU)};
}

inline std::string name(std::string_view text) {
  std::string out;
  for (const auto label : base::split(text, ".")) {
    out += static_cast<char>(label.size());
    out += label;
  }
  return out + '\0';
}

inline std::string pointer(unsigned to) {
  return number_16(0xc000U | to);
}

inline constexpr unsigned kQuestionAt = 12;

inline std::string record(const std::string& owner, unsigned type, const std::string& data,
                          unsigned record_class = 1, unsigned ttl_high = 0) {
  return owner + number_16(type) + number_16(record_class) + number_16(ttl_high) + number_16(60) +
         number_16(static_cast<unsigned>(data.size())) + data;
}

// One whose owner is the name in the question.
inline std::string record(unsigned type, const std::string& data) {
  return record(pointer(kQuestionAt), type, data);
}

inline std::string a(char last) {
  return record(1, std::string("\xc0\x00\x02", 3) + last);
}

inline std::string mx(unsigned preference, const std::string& host) {
  return record(15, number_16(preference) + host);
}

struct Shape {
  unsigned flags = 0x8180;
  unsigned questions = 1;
  unsigned answers = 0;
  unsigned authority = 0;
  unsigned additional = 0;
};

inline std::string message(const wire::DnsQuestion& asked, Shape shape,
                           const std::string& records) {
  return number_16(0x1234) + number_16(shape.flags) + number_16(shape.questions) +
         number_16(shape.answers) + number_16(shape.authority) + number_16(shape.additional) +
         name(asked.name) + number_16(static_cast<unsigned>(asked.type)) + number_16(1) + records;
}

}  // namespace dns_packet
