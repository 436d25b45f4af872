// How the page looks: one style sheet, for light and dark, for wide and narrow.
#pragma once

#include <string>
#include <string_view>

namespace show {

std::string_view page_style();

// 'sha256-...' of it, as a source of Content-Security-Policy (CSP 3, 2.3.1).
std::string page_style_source();

}  // namespace show
