// The parent of the roles: starts them, hands them what they need, starts again what dies, and
// passes the service manager's wishes on. Knows nothing of policies; of the image it keeps the
// descriptor.
#pragma once

#include <string>
#include <vector>

#include "src/app/config.h"
#include "src/app/listeners.h"
#include "src/app/service_manager.h"

namespace app {

struct ParentSetup {
  std::string config_file;
  std::string config_text;
  ParsedConfig parsed;
  std::vector<BoundListener> listeners;
};

// Serves until SIGTERM or SIGINT; returns the exit status of the program.
int run_parent(ParentSetup setup, ServiceManager& manager);

}  // namespace app
