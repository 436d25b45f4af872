// The configuration file that an admin begins with: every key with what it is for, what it takes
// and its default, all of it commented out. Text from the table of options; reads and writes
// nothing.
#pragma once

#include <string>

namespace app {

// Parsed as it stands it is the default configuration, without a warning.
std::string sample_config();

}  // namespace app
