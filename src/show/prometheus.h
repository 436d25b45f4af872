// What /metrics answers: an Overview in the text format of Prometheus, version 0.0.4. Pure.
//
// Counters count since the role that keeps them started; a restart sets them back to 0, as
// Prometheus expects of counters. The names are in metric_table.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/model/overview.h"

namespace show {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// `now`: seconds since the epoch.
std::string render_metrics(const model::Overview& overview, std::int64_t now);

}  // namespace show
