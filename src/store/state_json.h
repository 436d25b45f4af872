// The column `state` of destination_state: as JSON what has no column of its own. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/model/destination_state.h"

namespace store {

std::string state_json(const model::DestinationState& state);
// Fills in what state_json() wrote; false where the text isn't such, and `state` is of no use then.
bool read_state_json(std::string_view text, model::DestinationState& state);

}  // namespace store
