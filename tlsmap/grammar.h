// Our model of how Postfix reads a policy: smtp/smtp_tls_policy.c tls_policy_lookup_one(), version
// by version, attribute by attribute [F 2.3, 2.4; O 6]. The last gate before an answer leaves.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/model/postfix_version.h"

namespace tlsmap {

// What `version` would object to in `text`, in Postfix's own words where it has some, or nothing
// where it would deliver by it. Stricter than Postfix where Postfix accepts what then fails as a
// handshake (an unknown protocol or cipher grade) or cuts the text at a NUL.
std::optional<std::string> find_objection(std::string_view text,
                                          const model::PostfixVersion& version);

// Whether `connection_reuse=` works: it was broken in the first releases that had it [F 2.4].
[[nodiscard]] bool has_connection_reuse(const model::PostfixVersion& version);

}  // namespace tlsmap
