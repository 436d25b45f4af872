#include "src/engine/foresee.h"

#include "src/engine/traffic.h"

namespace engine {
namespace {

using model::Level;
using model::Security;

// Of a delivery with TLS: whether the peer was who the level asks for; the cause, where there is
// one, is of its certificate. What main.cf did not ask, nobody saw.
Foreseen foresee_identity(Level level, const model::Outcome& outcome) {
  const bool is_by_name = level == Level::Verify || level == Level::Secure;
  if (outcome.cause) return is_by_name ? Foreseen::Waited : Foreseen::Unknown;
  // "Verified" for the MX host's name is not yet a name that no DNS answer can change.
  return level == Level::Verify && outcome.security == Security::Authenticated ? Foreseen::Passed
                                                                               : Foreseen::Unknown;
}

Foreseen foresee_level(Level level, const model::Outcome& outcome) {
  if (level == Level::None || level == Level::May) return Foreseen::Passed;
  if (outcome.cause == model::Cause::LocalFault) return Foreseen::Unknown;
  const bool is_clear = outcome.security == Security::Clear ||
                        (outcome.cause && model::is_tls_missing(*outcome.cause));
  // Without a TLSA record `dane` is `may` [F 3.1], and a delivery does not show whether there is
  // one.
  if (level == Level::Dane) return Foreseen::Unknown;
  if (is_clear) return Foreseen::Waited;
  if (outcome.security == Security::Unknown) return Foreseen::Unknown;
  return level == Level::Encrypt ? Foreseen::Passed : foresee_identity(level, outcome);
}

}  // namespace

Foreseen foresee(const model::Asked& asked, const model::Outcome& outcome) {
  if (!asked.level) return Foreseen::Waited;  // TEMP
  const auto foreseen = foresee_level(*asked.level, outcome);
  const bool tells_sender = asked.fallback == model::Fallback::Bounce;
  return foreseen == Foreseen::Waited && tells_sender ? Foreseen::Bounced : foreseen;
}

Ending ending_of(const model::Outcome& outcome) {
  switch (travelled_of(outcome)) {
    case Travelled::Authenticated:
    case Travelled::Encrypted:
      return Ending::Tls;
    case Travelled::Clear:
      return Ending::Clear;
    case Travelled::Unknown:
      return Ending::Unknown;
    case Travelled::Deferred:
      return Ending::Failed;
  }
  return Ending::Unknown;
}

}  // namespace engine
