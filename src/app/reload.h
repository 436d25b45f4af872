// What a changed configuration file puts in force. Pure: text in, values out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/app/config.h"

namespace app {

struct Reloaded {
  ParsedConfig parsed;  // its errors, where it has any, say why the old one stays in force
  std::string text;     // a file that says the same, for the roles; at most kLargestConfig
  std::vector<std::string> waiting;  // options whose change waits for a restart
};

// Reads `text` of `file` while `in_force` is: where an option waits for a restart, the value in
// force stays, for whoever is told, and however often the file is read again.
Reloaded reload_config(const ParsedConfig& in_force, std::string_view text, std::string_view file);

}  // namespace app
