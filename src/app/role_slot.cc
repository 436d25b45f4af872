#include "src/app/role_slot.h"

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
  }
  return {};
}

}  // namespace app
