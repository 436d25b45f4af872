// What the parent keeps of each role, and how roles are told apart on the wire.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/app/heartbeat.h"
#include "src/app/listeners.h"
#include "src/app/restart_policy.h"
#include "src/app/role.h"
#include "src/base/clock.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/http_message.h"
#include "src/wire/role_message.h"

namespace app {

struct RoleSlot {
  explicit RoleSlot(Role its_role) : role(its_role) {}

  Role role;
  pid_t pid = 0;
  bool served = false;
  bool is_stopping = false;  // it was told to
  bool is_behind = false;    // it has not got the last configuration
  std::uint64_t restarts = 0;
  base::SteadyPoint last_pong{};
  Heartbeat heartbeat;
  RestartPolicy policy;
  std::unique_ptr<net::Channel> channel;
  std::unique_ptr<net::Timer> restart;

  bool send(wire::FromParent type, std::string_view payload = {}, std::span<const int> fds = {}) {
    return channel && channel->send(type, payload, fds);
  }
};

// Which role serves such a listener; whether there is one for it; hands it those there are.
Role server_of(wire::Listener protocol);
[[nodiscard]] bool has_listener(Role role, std::span<const BoundListener> listeners);
void send_listeners(RoleSlot& slot, std::span<const BoundListener> listeners);

// The payload of FromParent::Peer: who is at the other end.
std::string letter_of(Role role);

// A channel between the two, for whoever of them is alive: the survivor gets a new end too.
void connect(RoleSlot& one, RoleSlot& other);

// The parent looks whether the role's loop turns, and the role has said that it does. A role that
// falls silent is told of, and that it is back; it is not ended: nobody knows what it waits for.
void note_look(RoleSlot& slot);
void note_answer(RoleSlot& slot);

// One record of FromParent::Roles.
void append_role(std::string& out, const RoleSlot& slot);

}  // namespace app
