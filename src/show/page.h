// The one page for people: an Overview as HTML that needs nothing else, no script, no picture, no
// other file. Pure; all that is not ours is escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/model/overview.h"

namespace show {

inline constexpr std::string_view kPageType = "text/html; charset=utf-8";

// A page that changes by itself can be told not to (WCAG 2.2, 2.2.2): the two addresses of it, each
// with a link to the other.
inline constexpr std::string_view kPagePath = "/";
inline constexpr std::string_view kStillPagePath = "/still";
inline constexpr int kReloadSeconds = 30;

enum class Reload : std::uint8_t { ByItself, Never };

// `now`: seconds since the epoch.
std::string render_page(const model::Overview& overview, std::int64_t now,
                        Reload reload = Reload::ByItself);

// The value of the header Content-Security-Policy to send it with: nothing may be fetched, run or
// framed, and no style but the page's own is heeded.
std::string page_security_policy();

}  // namespace show
