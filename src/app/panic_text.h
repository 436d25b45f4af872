// An admin's panic as it stands in state.db: `store` writes it there, the tools read it beside the
// daemon.
#pragma once

#include <string>
#include <string_view>

#include "src/wire/role_message.h"

namespace app {

// The name of what is remembered (StateDb::load_text).
inline constexpr std::string_view kPanicName = "panic";

std::string panic_text(const wire::ModeMessage& mode);

// What panic_text() wrote; no panic where it is something else.
wire::ModeMessage read_panic(std::string_view text);

}  // namespace app
