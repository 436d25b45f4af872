#include "src/app/role_slot.h"

#include <algorithm>
#include <array>
#include <vector>

#include "src/base/log.h"

namespace app {
namespace {

// What an operator has while the role stands still.
std::string_view effect_of_silence(Role role) {
  switch (role) {
    case Role::Answer:
      return "Postfix gets no answers, and mail waits";
    case Role::Store:
      return "edits are not taken and no decision is made; Postfix goes on being answered by the "
             "policy in force. Do the disks of policy_db and state_db answer?";
    case Role::Ingest:
      return "the mail log and TLSRPT are not read; Postfix goes on being answered. Does the disk "
             "of "
             "maillog answer?";
    case Role::Net:
      return "nothing is probed; Postfix goes on being answered";
    case Role::Http:
      return "metrics and status page are not served; Postfix goes on being answered";
  }
  return {};
}

}  // namespace

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

bool has_listener(Role role, std::span<const BoundListener> listeners) {
  return std::ranges::any_of(
      listeners, [role](const BoundListener& each) { return server_of(each.protocol) == role; });
}

void send_listeners(RoleSlot& slot, std::span<const BoundListener> listeners) {
  std::string protocols;
  std::vector<int> fds;
  for (const BoundListener& listener : listeners) {
    if (server_of(listener.protocol) != slot.role) continue;
    protocols += static_cast<char>(listener.protocol);
    fds.push_back(listener.fd.get());
  }
  slot.send(wire::FromParent::Listeners, protocols, fds);
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

void connect(RoleSlot& one, RoleSlot& other) {
  const auto ends = net::make_channel_ends();
  if (!ends.first) return;
  one.send(wire::FromParent::Peer, letter_of(other.role), std::array{ends.first.get()});
  other.send(wire::FromParent::Peer, letter_of(one.role), std::array{ends.second.get()});
}

void note_look(RoleSlot& slot) {
  if (slot.heartbeat.on_look() == Heartbeat::News::Silent) {
    constexpr std::chrono::seconds kSilence = Heartbeat::kPatience * Heartbeat::kLookEvery;
    base::log_warning("role {} (process {}) has not answered for {} s: {}", to_word(slot.role),
                      slot.pid, kSilence.count(), effect_of_silence(slot.role));
  }
  if (slot.heartbeat.wants_ping() && slot.send(wire::FromParent::Ping)) slot.heartbeat.on_ping();
}

void note_answer(RoleSlot& slot) {
  if (slot.heartbeat.on_pong() == Heartbeat::News::Back) {
    base::log_info("role {} answers again", to_word(slot.role));
  }
}

void append_role(std::string& out, const RoleSlot& slot) {
  wire::append_role_record(
      out, {std::string(to_word(slot.role)), std::max<pid_t>(slot.pid, 0), slot.restarts});
}

}  // namespace app
