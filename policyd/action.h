// A ruling in the words of access(5), as smtpd reads them [F 5.3]. No state, no decision.
#pragma once

#include <string>

#include "src/model/mail_oracle.h"

namespace policyd {

// smtpd cuts its own reply at 510 bytes; the text is ours to keep below that.
inline constexpr std::size_t kLongestText = 400;

// Appends "action=..." and the empty line. Bytes of the text outside [ -~] become '?'.
void append_action(std::string& out, const model::Ruling& ruling);

}  // namespace policyd
