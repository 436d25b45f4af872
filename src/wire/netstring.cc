#include "src/wire/netstring.h"

#include <array>
#include <charconv>

#include "src/base/text.h"

namespace wire {
namespace {

constexpr std::size_t kMostDigits = 5;
// Of as many bytes as that of nearly every answer, whose payload then stays where it is.
constexpr std::string_view kLikelyPrefix = "00:";

// "123:", of any length there is.
class LengthPrefix {
 public:
  explicit LengthPrefix(std::size_t length) {
    const auto end = std::to_chars(text_.data(), text_.data() + text_.size() - 1, length).ptr;
    *end = ':';
    size_ = static_cast<std::size_t>(end - text_.data()) + 1;
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_{};
  std::size_t size_ = 0;
};

}  // namespace

ParsedNetstring parse_netstring(std::string_view input, std::size_t limit) {
  std::size_t length = 0;
  std::size_t at = 0;
  for (; at < input.size() && base::is_digit(input[at]); ++at) {
    if (at == kMostDigits) return Malformed{"a length of more than five digits"};
    if (at == 1 && length == 0) return Malformed{"a length with a leading zero"};
    length = length * 10 + static_cast<std::size_t>(input[at] - '0');
    if (length > limit) return Malformed{"a length over the limit"};
  }
  if (at == input.size()) return NeedMore{};
  if (at == 0) return Malformed{"not a digit where a length begins"};
  if (input[at] != ':') return Malformed{"no colon after the length"};
  const auto rest = input.substr(at + 1);
  if (rest.size() <= length) return NeedMore{};
  if (rest[length] != ',') return Malformed{"no comma after the payload"};
  return Frame{rest.substr(0, length), at + 1 + length + 1};
}

void append_netstring(std::string& out, std::string_view payload) {
  out += LengthPrefix(payload.size()).text();
  out += payload;
  out += ',';
}

std::size_t open_netstring(std::string& out) {
  const auto start = out.size();
  out += kLikelyPrefix;
  return start;
}

void close_netstring(std::string& out, std::size_t start) {
  const LengthPrefix prefix(out.size() - start - kLikelyPrefix.size());
  if (prefix.text().size() == kLikelyPrefix.size()) {
    prefix.text().copy(out.data() + start, kLikelyPrefix.size());
  } else {
    out.replace(start, kLikelyPrefix.size(), prefix.text());
  }
  out += ',';
}

}  // namespace wire
