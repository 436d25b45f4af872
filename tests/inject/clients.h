// A server of ours and its clients on one thread: the server's calls may fail, the clients' never.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/net/server.h"
#include "tests/inject/scenario.h"

namespace inject {

struct Heard {
  std::string bytes;
  bool is_closed = false;
  bool is_connected = false;
};

// Turns the loop until `is_over` or the time that every request is answered in; false where that
// came first. A loop that gives up is the end of its role.
bool turn_until(net::Loop& loop, const std::function<bool()>& is_over);

// Serves on a unix socket until each client, all of whom say `request` at once and at the start,
// has heard as many bytes as `is_all` wants or the end. Nothing where no socket came to be.
std::vector<Heard> serve(const World& world, net::Server::MakeSession make_session,
                         const std::string& request,
                         const std::function<bool(const std::string&)>& is_all);

}  // namespace inject
