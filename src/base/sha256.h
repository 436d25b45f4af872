// SHA-256 (FIPS 180-4) of bytes in memory, by libcrypto; for the ledger's chain.
#pragma once

#include <string>
#include <string_view>

namespace base {

// 64 lower-case hexadecimal digits; empty where libcrypto refuses.
std::string sha256_hex(std::string_view bytes);

}  // namespace base
