// The mail of the last day by what became of TLS: stacked bars by hour as inline SVG, the sums as
// the chart's key, and every figure as a table for who can't see bars.
//
// The SVG holds shapes alone, stretched to the room there is; its scale and hours are text beside
// it, so that they stay readable on a phone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/model/overview.h"

namespace show {

// The last kTrafficHours hours of `traffic` at most. Empty where nothing was delivered.
std::string traffic_html(const std::vector<model::Overview::Hour>& traffic);

// What the top of the scale stands for: a round number whose half is whole, at least `most`.
double scale_for(double most);

}  // namespace show
