// Which Postfix will read our answer: "3.4", "3.10", "3.4.14". Compared number by number.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace model {

struct PostfixVersion {
  unsigned major = 3;
  unsigned minor = 4;
  unsigned patch = 0;
  auto operator<=>(const PostfixVersion&) const = default;
};

// MAJOR.MINOR or MAJOR.MINOR.PATCH, each at most 3 digits without a leading zero.
std::optional<PostfixVersion> parse_postfix_version(std::string_view text);
// "3.10"; the patch level only where there is one.
std::string to_text(const PostfixVersion& version);

}  // namespace model
