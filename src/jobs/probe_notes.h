// A TLS session in the words of a transcript: protocol, the chain certificate by certificate, and
// whether anybody vouches for it. Texts of the peer stay as they are: whoever shows them filters.
#pragma once

#include <string>
#include <vector>

#include "src/model/probed_address.h"

namespace jobs {

// One note after the other; a note may have several lines.
std::vector<std::string> notes_of(const model::SeenTls& tls);

// "TLSv1.3, TLS_AES_256_GCM_SHA384 (256 bits), key exchange X25519 (253 bits)".
std::string describe_session(const model::SeenTls& tls);
// "trusted", "not trusted: self-signed certificate".
std::string describe_trust(const model::SeenTls& tls);
// "a, b and 7 more"; "none".
std::string describe_names(const std::vector<std::string>& names);

}  // namespace jobs
