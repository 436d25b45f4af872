// Catch2, whichever of its two generations the distribution has.
#pragma once

#ifdef CATCH2_IS_A_LIBRARY
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>

namespace Catch::Matchers {
// The name it has in Catch2 3. NOLINTNEXTLINE(readability-identifier-naming)
inline StdString::ContainsMatcher ContainsSubstring(const std::string& text) {
  return Contains(text);
}
}  // namespace Catch::Matchers
#endif
