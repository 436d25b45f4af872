#include "src/net/library_versions.h"

#include <ares.h>
#include <openssl/crypto.h>

namespace net {

std::string openssl_version() {
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

std::string c_ares_version() {
  return ares_version(nullptr);
}

}  // namespace net
