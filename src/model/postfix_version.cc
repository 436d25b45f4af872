#include "src/model/postfix_version.h"

#include <fmt/format.h>

#include <array>

#include "src/base/text.h"

namespace model {

std::optional<PostfixVersion> parse_postfix_version(std::string_view text) {
  std::array<unsigned, 3> numbers{};
  std::size_t count = 0;
  for (std::size_t at = 0; at <= text.size(); ++count) {
    if (count == numbers.size()) return std::nullopt;
    const auto dot = std::min(text.find('.', at), text.size());
    const auto part = text.substr(at, dot - at);
    const auto number = base::parse_number<unsigned>(part);
    if (!number || part.size() > 3 || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    numbers.at(count) = *number;
    at = dot + 1;
  }
  if (count < 2) return std::nullopt;
  return PostfixVersion{numbers[0], numbers[1], numbers[2]};
}

std::string to_text(const PostfixVersion& version) {
  if (version.patch == 0) return fmt::format("{}.{}", version.major, version.minor);
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace model
