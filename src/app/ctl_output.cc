#include "src/app/ctl_output.h"

#include <fmt/format.h>

#include <cstdio>

#include "src/base/text.h"

namespace app::ctl {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // 0: not UTF-8
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint read_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  char32_t value = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool is_overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  return is_overlong || is_surrogate || value > 0x10FFFF ? CodePoint{} : CodePoint{value, length};
}

bool is_harmless(char32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
  const bool turns_direction = c == 0x200E || c == 0x200F || c == 0x061C ||
                               (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return !is_control && !turns_direction;
}

std::string dump(const Json& object, int indent) {
  return object.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto [value, length] = read_code_point(text);
    if (length > 0 && is_harmless(value)) {
      safe += text.substr(0, length);
    } else {
      safe += '?';
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return safe;
}

bool is_prose(std::string_view text) {
  while (!text.empty()) {
    const auto [value, length] = read_code_point(text);
    if (length == 0 || value < 0x20 || (value >= 0x7F && value < 0xA0) || value > 0x10FFFD) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void say(std::string_view line) {
  fmt::print(stdout, "{}\n", line);
}

void warn(std::string_view line) {
  fmt::print(stderr, "tlspolicyctl: {}\n", terminal_text(line));
}

Exit fail(std::string_view line) {
  warn(line);
  return Exit::Failed;
}

Exit refuse_usage(std::string_view line) {
  warn(line);
  return Exit::Usage;
}

Json to_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

void print_json(const Json& object) {
  say(dump(object, 2));
}

void JsonArray::add(const Json& object) {
  fmt::print(stdout, "{}\n {}", is_empty_ ? "[" : ",", dump(object, -1));
  is_empty_ = false;
}

void JsonArray::finish() {
  say(is_empty_ ? "[]" : "\n]");
}

}  // namespace app::ctl
