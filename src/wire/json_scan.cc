#include "src/wire/json_scan.h"

#include <algorithm>
#include <vector>

#include "src/base/text.h"

namespace wire {
namespace {

bool is_hex(char c) {
  return base::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

void JsonScan::fail(std::string_view why) {
  if (fault_.empty()) fault_ = why;
  at_ = text_.size();
}

void JsonScan::skip_blanks() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
}

bool JsonScan::skip(char c) {
  skip_blanks();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

bool JsonScan::enter() {
  if (++depth_ <= limits_.depth) return true;
  fail("it is nested too deep");
  return false;
}

void JsonScan::take_object(const std::function<void(std::string_view key)>& take_member) {
  if (!skip('{')) return fail("an object is missing");
  if (!enter()) return;
  std::vector<std::string_view> keys;
  for (bool is_first = true; fault_.empty() && !skip('}'); is_first = false) {
    if (!is_first && !skip(',')) return fail("an object does not end");
    bool is_plain = true;
    const auto key = take_string(is_plain);
    if (!is_plain) return fail("a key has an escape in it");
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return fail("an object has a key twice");
    }
    if (keys.size() >= limits_.members) return fail("an object has too many members");
    keys.push_back(key);
    if (!skip(':')) return fail("a key has no value");
    take_member(key);
  }
  --depth_;
}

void JsonScan::take_array(const std::function<void()>& take_item) {
  if (!skip('[')) return fail("an array is missing");
  if (!enter()) return;
  std::size_t count = 0;
  for (; fault_.empty() && !skip(']'); ++count) {
    if (count > 0 && !skip(',')) return fail("an array does not end");
    if (count >= limits_.items) return fail("an array has too many items");
    take_item();
  }
  --depth_;
}

// Behind the backslash.
bool JsonScan::take_escape() {
  if (at_ >= text_.size()) return false;
  const char c = text_[at_++];
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ >= text_.size() || !is_hex(text_[at_])) return false;
  }
  return true;
}

std::string_view JsonScan::take_string(bool& is_plain) {
  is_plain = true;
  if (!skip('"')) {
    fail("a text is missing");
    return {};
  }
  const auto start = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') return text_.substr(start, at_ - 1 - start);
    if (static_cast<unsigned char>(c) < 0x20) break;
    if (c != '\\') continue;
    is_plain = false;
    if (!take_escape()) break;
  }
  fail("a text does not end, or has a byte in it that it may not have");
  return {};
}

std::int64_t JsonScan::take_integer() {
  skip_blanks();
  const auto start = at_;
  if (at_ < text_.size() && text_[at_] == '-') ++at_;
  while (at_ < text_.size() && base::is_digit(text_[at_])) ++at_;
  auto digits = text_.substr(start, at_ - start);
  const bool is_negative = digits.starts_with('-');
  if (is_negative) digits.remove_prefix(1);
  const bool has_zeros = digits.size() > 1 && digits.front() == '0';
  const auto number = base::parse_number<std::int64_t>(digits);
  const bool goes_on = at_ < text_.size() && std::string_view(".eE").find(text_[at_]) != text_.npos;
  if (!number || has_zeros || goes_on) {
    fail("a whole number is missing");
    return 0;
  }
  return is_negative ? -*number : *number;
}

void JsonScan::skip_word(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return fail("a value is missing");
  at_ += word.size();
}

// RFC 8259 6.
void JsonScan::skip_number() {
  const auto skip_digits = [this] {
    const auto start = at_;
    while (at_ < text_.size() && base::is_digit(text_[at_])) ++at_;
    if (at_ == start) fail("a value is missing");
  };
  if (text_[at_] == '-') ++at_;
  const bool is_zero = at_ < text_.size() && text_[at_] == '0';
  if (is_zero) {
    ++at_;
  } else {
    skip_digits();
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    skip_digits();
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    skip_digits();
  }
}

void JsonScan::skip_value() {
  skip_blanks();
  if (at_ >= text_.size()) return fail("a value is missing");
  bool is_plain = true;
  switch (text_[at_]) {
    case '{':
      return take_object([this](std::string_view) { skip_value(); });
    case '[':
      return take_array([this] { skip_value(); });
    case '"':
      take_string(is_plain);
      return;
    case 't':
      return skip_word("true");
    case 'f':
      return skip_word("false");
    case 'n':
      return skip_word("null");
    default:
      return skip_number();
  }
}

void JsonScan::finish() {
  skip_blanks();
  if (at_ < text_.size()) fail("something stands behind the object");
}

}  // namespace wire
