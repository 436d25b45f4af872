#include "src/engine/assurance.h"

namespace engine {

using model::Certainty;
using Kind = model::Verdict::Kind;

std::string_view to_word(Assurance assurance) {
  switch (assurance) {
    case Assurance::Unknown:
      return "unknown";
    case Assurance::None:
      return "none";
    case Assurance::Encrypted:
      return "encrypt";
    case Assurance::Verified:
      return "verify";
  }
  return "";
}

Assured assure(const model::Verdict& verdict) {
  switch (verdict.kind) {
    case Kind::NotFound:
      return {Assurance::None, "no rule in force demands TLS for it"};
    case Kind::Unknown:
      return {Assurance::Unknown, "its rule can't be used now"};
    case Kind::Policy:
      break;
  }
  switch (verdict.certainty) {
    case Certainty::Unknown:
      return {Assurance::Unknown, "what was learned of it is not loaded yet"};
    case Certainty::Loose:
      return {Assurance::None, "its rule lets mail go in plaintext where TLS does not work"};
    case Certainty::Firm:
      break;
  }
  if (!model::is_tls_required(verdict.level)) {
    return {Assurance::None, "its rule does not demand TLS"};
  }
  if (model::strictness(verdict.level) < model::strictness(model::Level::Verify)) {
    return {Assurance::Encrypted, "its rule demands TLS, but no certificate that fits"};
  }
  if (verdict.row.profile->fallback == model::Fallback::Reroute) {
    return {Assurance::Encrypted, "without TLS its mail is handed to another encrypted transport"};
  }
  return {Assurance::Verified, "its rule demands TLS with a certificate that fits"};
}

}  // namespace engine
