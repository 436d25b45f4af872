// The verbs of the control socket that are about states, decisions and live exchanges.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "src/app/control.h"

namespace app {

// Nothing where `verb` is none of these.
std::optional<nlohmann::json> answer_state_verb(ControlDesk& desk, std::string_view verb,
                                                const nlohmann::json& request);

// What status says of the feedback.
nlohmann::json describe_feedback(ControlDesk& desk, const std::optional<wire::AnswerStats>& stats);

}  // namespace app
