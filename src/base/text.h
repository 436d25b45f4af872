// Plain ASCII text work that the standard library of GCC 12 lacks. Knows no grammar of ours.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// `text` with everything outside [ -~] as '?', cut to `limit` bytes: safe for a log or a terminal.
std::string printable(std::string_view text, std::size_t limit = 200);

[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string to_lower(std::string_view text);
void lower_in_place(std::string& text);
[[nodiscard]] bool is_equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Without the blanks, tabs and line ends around it.
std::string_view trim(std::string_view text);

// The parts between any of `separators`; empty parts are left out.
std::vector<std::string_view> split(std::string_view text, std::string_view separators);

std::string join(const std::vector<std::string>& parts, std::string_view between);

// Decimal digits alone (no sign, no blank), or nothing.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace base
