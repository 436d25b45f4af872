// Whether a TLS version is new enough: one opinion for incoming, submitted and outgoing mail.
#pragma once

#include <string_view>

#include "src/model/level.h"

namespace engine {

// `protocol` is OpenSSL's word for a connection, empty for plaintext. A TLS version that we don't
// know is newer than all that we do; any other word is older.
[[nodiscard]] bool is_protocol_enough(std::string_view protocol, model::TlsVersion least);

}  // namespace engine
