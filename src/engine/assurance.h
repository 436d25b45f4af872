// What a verdict makes sure of: would a delivery now be certain to be encrypted, or verified, or is
// there a way in which it could still go out in plaintext? Pure.
//
// Strict on purpose. What main.cf would do is not ours to promise, so a destination without a row
// is never sure of TLS; nor is one whose row falls back after failures, however well TLS works now.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/model/verdict.h"

namespace engine {

enum class Assurance : std::uint8_t {
  Unknown,    // it can't be told now
  None,       // the mail may go out in plaintext
  Encrypted,  // TLS, or the mail waits or takes the encrypted way of fallback reroute
  Verified,   // and the peer is known: verify, secure, fingerprint, dane-only
};
// "unknown", "none", "encrypt", "verify".
[[nodiscard]] std::string_view to_word(Assurance assurance);

struct Assured {
  Assurance assurance = Assurance::Unknown;
  std::string_view why;  // one clause about the destination, static
};

// `verdict` must be for the usual transport and hold what is known of the destination.
[[nodiscard]] Assured assure(const model::Verdict& verdict);

}  // namespace engine
