// The key of map `outcome`: how a delivery ended, in Postfix's words (smtp_delivery_status_filter,
// [F 4.1]): what it proves, and the two answers that change it (DESIGN section 4). Pure.
//
// Believes only texts that Postfix wrote itself; a peer's reply never reaches an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/model/evidence.h"
#include "src/model/level.h"

namespace tlsmap {

struct Outcome {
  char dsn_class = '2';   // 2, 4 or 5
  std::string_view dsn;   // 4.7.5
  std::string_view text;  // what stands behind it
};
// Nothing where the key isn't "D.D.D TEXT".
std::optional<Outcome> parse_outcome(std::string_view key);

// What the outcome proves of a delivery that was answered `level`; nothing answered (main.cf
// decided, or the answer was TEMP): no level. Source Outcome; trust and time are left to the
// caller. A 2.x under `encrypt` or stricter proves TLS; under a weaker level it is mail that went
// nobody knows how. Nothing for a try that TLS has no part in: no mail went, as the mail log has
// it.
std::optional<model::Evidence> evidence_of(const Outcome& outcome,
                                           std::optional<model::Level> level);

// A 5xx reply to STARTTLS would bounce the mail at once; this makes Postfix keep it: the reply for
// map `outcome`, "4.7.0 TLS is required, but host H[A] refused to start TLS". Nothing for any other
// outcome.
std::optional<std::string> keep_refused(const Outcome& outcome);

// The reply that tells the sender now, for a 4.x outcome that is a TLS failure; nothing for others.
std::optional<std::string> bounce_failed(const Outcome& outcome);

}  // namespace tlsmap
