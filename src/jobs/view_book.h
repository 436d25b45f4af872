// Which views are in use: whose evidence a log line is where nobody knows which of several Postfix
// instances wrote it (DESIGN section 5, "Socketmap names").
//
// Bounded; time comes in as a value, in seconds since the epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jobs {

class ViewBook {
 public:
  // A view that nobody asked in for so long is given up.
  static constexpr std::int64_t kRemembered = 7 * 86'400;
  // Views remembered; that there are more than one is all that matters.
  static constexpr std::size_t kMost = 64;

  // A question in `view`, or evidence of one, at `at`.
  void note(std::string_view view, std::int64_t at);
  // The one that is in use at `now`; that of an instance without views where none is known to be.
  // Nothing where there are several.
  [[nodiscard]] std::optional<std::string> only(std::int64_t now) const;
  // Those that are in use at `now`.
  [[nodiscard]] std::vector<std::string> all(std::int64_t now) const;

 private:
  std::map<std::string, std::int64_t, std::less<>> last_;  // view -> when
};

}  // namespace jobs
