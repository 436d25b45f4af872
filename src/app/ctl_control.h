// The daemon's control socket: one JSON object and a line feed each way, then it closes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "src/app/ctl_output.h"
#include "src/base/result.h"

namespace app::ctl {

inline constexpr std::size_t kLargestControlAnswer = 16 * 1024 * 1024;

// The answer to {"verb": verb}; always an object. The error names the socket and says what to do.
base::Result<Json> ask_control(const std::string& socket, std::string_view verb,
                               std::chrono::milliseconds patience);
// The same for a verb with arguments: `request` holds them and the verb.
base::Result<Json> ask_control_for(const std::string& socket, const Json& request,
                                   std::chrono::milliseconds patience);
// Why a request was refused, where it was: {"ok": false, "error": TEXT}.
std::optional<std::string> refusal_in(const Json& answer);

// Members of an answer that may be absent or of another type.
std::string text_in(const Json& object, const char* name);
std::int64_t number_in(const Json& object, const char* name);
bool is_true_in(const Json& object, const char* name);
// The member, where it is an object; an empty object otherwise.
Json object_in(const Json& object, const char* name);
Json array_in(const Json& object, const char* name);

}  // namespace app::ctl
