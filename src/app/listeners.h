// From the configuration to listening sockets: passed in by a holder where they match, bound here
// where they don't.
#pragma once

#include <string>
#include <vector>

#include "src/app/config.h"
#include "src/app/service_manager.h"
#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/net/address.h"
#include "src/wire/role_message.h"

namespace app {

struct BoundListener {
  wire::Listener protocol = wire::Listener::Tlsmap;
  base::UniqueFd fd;
  std::string own_file;  // the unix socket this process made and removes in the end; or empty
};

// Permissions and owners of the unix sockets that are made here.
struct SocketFiles {
  net::SocketFile postfix;  // that Postfix talks to
  net::SocketFile control;
};
// The error names the key whose user or group doesn't exist: it is the configuration that is wrong,
// and no second try mends it.
base::Result<SocketFiles> find_socket_files(const Config& config);

// A passed socket serves the configured listener with the same address, or `systemd:NAME` with its
// name. One that no listener asked for is taken by its name where that begins with tlsmap, policyd
// or http, and for tlsmap where it has none; anything else is an error that names it. Of http only
// what this host alone reaches.
base::Result<std::vector<BoundListener>> bind_listeners(const Config& config,
                                                        const SocketFiles& files,
                                                        std::vector<PassedSocket> passed);

}  // namespace app
