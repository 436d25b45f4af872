// A view that is eaten from the front: what the parsers of log text are written with. Nothing is
// copied; a step that does not fit leaves the view as it was.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "src/base/text.h"

namespace wire {

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  bool skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  // What stands before `end`, at most `limit` bytes; `end` itself is eaten too.
  std::optional<std::string_view> take_until(std::string_view end, std::size_t limit) {
    const auto at = rest_.substr(0, limit + end.size()).find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto taken = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return taken;
  }

  // The longest run of bytes that `fits`, 1 to `limit` of them; a longer run is none.
  template <class Fits>
  std::optional<std::string_view> take_run(Fits fits, std::size_t limit) {
    std::size_t length = 0;
    while (length < rest_.size() && length <= limit && fits(rest_[length])) ++length;
    if (length == 0 || length > limit) return std::nullopt;
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  // Exactly `count` digits.
  std::optional<unsigned> take_digits(std::size_t count) {
    const auto digits = rest_.substr(0, count);
    const auto number =
        digits.size() == count ? base::parse_number<unsigned>(digits) : std::nullopt;
    if (number) rest_.remove_prefix(count);
    return number;
  }

 private:
  std::string_view rest_;
};

}  // namespace wire
