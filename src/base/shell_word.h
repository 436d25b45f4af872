// A text as one word of a POSIX shell, for the commands that we propose to an admin: as it is where
// no character of it means anything to a shell, in single quotes otherwise.
#pragma once

#include <string>
#include <string_view>

namespace base {

[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace base
