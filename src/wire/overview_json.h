// model::Overview as JSON and back: what role `store` tells role `http` and the control socket. The
// keys are the names of the members. Bytes in, value out; the reader believes nothing that does not
// parse: every member must be there, of its kind, within its bound.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/overview.h"

namespace wire {

// Of one text, in bytes: a longer one is cut. Bytes that are no UTF-8 become U+FFFD, which is three
// of them, so the reader takes three times as many.
inline constexpr std::size_t kLongestOverviewText = 1'024;
// More than all lists full of the longest texts, written as escapes.
inline constexpr std::size_t kLargestOverview = 8U << 20U;

// Lists beyond their bound are cut.
std::string to_json(const model::Overview& overview);
// Nothing where `text` is anything else, or longer than kLargestOverview.
std::optional<model::Overview> parse_overview(std::string_view text);

}  // namespace wire
