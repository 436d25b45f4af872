#include "src/engine/protocol.h"

namespace engine {

bool is_protocol_enough(std::string_view protocol, model::TlsVersion least) {
  if (const auto version = model::parse_tls_version(protocol)) return *version >= least;
  return protocol.starts_with("TLSv");
}

}  // namespace engine
