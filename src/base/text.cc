#include "src/base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace base {

std::string printable(std::string_view text, std::size_t limit) {
  std::string safe(text.substr(0, limit));
  for (char& c : safe) {
    if (c < ' ' || c > '~') c = '?';
  }
  return safe;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  lower_in_place(lower);
  return lower;
}

// Eight characters at once: every question holds names in which nearly all is lower case already.
void lower_in_place(std::string& text) {
  using Word = std::uint64_t;
  constexpr Word kOnes = 0x0101010101010101U;
  constexpr Word kHighBits = kOnes * 0x80U;
  std::size_t at = 0;
  for (; text.size() - at >= sizeof(Word); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const Word low_bits = word & ~kHighBits;
    const Word from_a = low_bits + kOnes * (0x80U - 'A');  // the high bit of each: 'A' or behind
    const Word behind_z = low_bits + kOnes * (0x80U - 'Z' - 1U);
    const Word upper = from_a & ~behind_z & ~word & kHighBits;
    word |= upper >> 2U;  // 0x20: the difference of the cases
    std::memcpy(text.data() + at, &word, sizeof word);
  }
  for (; at < text.size(); ++at) text[at] = to_lower(text[at]);
}

bool is_equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += between;
    joined += parts[i];
  }
  return joined;
}

}  // namespace base
