// The versions of the libraries that this process runs with, which need not be those that it was
// built with.
#pragma once

#include <string>

namespace net {

// "3.0.22"
std::string openssl_version();
// "1.18.1"
std::string c_ares_version();

}  // namespace net
