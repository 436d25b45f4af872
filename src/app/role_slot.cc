#include "src/app/role_slot.h"

#include <algorithm>

namespace app {

Role server_of(wire::Listener protocol) {
  switch (protocol) {
    case wire::Listener::Tlsmap:
    case wire::Listener::Policyd:
      return Role::Answer;
    case wire::Listener::Control:
      return Role::Store;
    case wire::Listener::Tlsrpt:
      return Role::Ingest;
    case wire::Listener::Http:
      return Role::Http;
  }
  return Role::Answer;
}

std::string letter_of(Role role) {
  switch (role) {
    case Role::Answer:
      return {static_cast<char>(wire::PeerRole::Answer)};
    case Role::Store:
      return {static_cast<char>(wire::PeerRole::Store)};
    case Role::Ingest:
      return {static_cast<char>(wire::PeerRole::Ingest)};
    case Role::Net:
      return {static_cast<char>(wire::PeerRole::Net)};
    case Role::Http:
      return {static_cast<char>(wire::PeerRole::Http)};
  }
  return {};
}

void append_role(std::string& out, const RoleSlot& slot) {
  wire::append_role_record(
      out, {std::string(to_word(slot.role)), std::max<pid_t>(slot.pid, 0), slot.restarts});
}

}  // namespace app
