#include "src/engine/probe_summary.h"

#include <algorithm>

#include "src/base/text.h"

namespace engine {
namespace {

std::string word(std::string_view text) {
  return base::printable(text, model::kLongestRecordWord);
}

// ':' between, as many as there is room for; a name with a character that no host name has is none
// that anything could match.
void take_names(const model::SeenCertificate& leaf, model::ProbedPeer& peer) {
  for (const auto& name : model::names_of(leaf)) {
    const bool is_name = !name.empty() && name.find(':') == std::string::npos &&
                         base::printable(name, name.size()) == name;
    if (!is_name) continue;
    const auto size = peer.names.size() + (peer.names.empty() ? 0 : 1) + name.size();
    if (size > model::kMostRecordNames) {
      peer.has_more_names = true;
      continue;
    }
    if (!peer.names.empty()) peer.names += ':';
    peer.names += base::to_lower(name);
  }
}

void take_tls(const model::SeenTls& tls, const Expected& expected, model::ProbedPeer& peer) {
  peer.protocol = word(tls.protocol);
  peer.cipher = word(tls.cipher);
  peer.bits = tls.bits;
  peer.is_fit_to_authenticate = tls.is_fit_to_authenticate;
  peer.trust = tls.trust;
  if (tls.chain.empty()) return;
  const auto& leaf = tls.chain.front();
  peer.is_named_for_verify = model::is_named(leaf, expected.host);
  peer.is_named_for_secure =
      std::any_of(expected.nexthop.begin(), expected.nexthop.end(),
                  [&](const auto& name) { return model::is_named(leaf, name); });
  take_names(leaf, peer);
  peer.not_after = leaf.not_after;
  peer.issuer = word(leaf.issuer);
  peer.pin = word(leaf.key_fingerprint);
  peer.fingerprint = word(leaf.fingerprint);
}

void take_seen(const model::ProbedAddress& seen, const Expected& expected,
               model::ProbedPeer& peer) {
  peer.outcome = seen.outcome;
  peer.trouble = word(seen.trouble);
  peer.has_spoken = seen.has_spoken;
  peer.was_offered = seen.was_offered;
  peer.is_crossed_out = seen.is_crossed_out;
  if (seen.tls) take_tls(*seen.tls, expected, peer);
  peer.would = would_deliver(seen, expected);
}

const CheckedTarget* find_target(std::span<const CheckedTarget> targets, std::string_view host,
                                 const model::AddressBytes& address) {
  const auto found = std::find_if(targets.begin(), targets.end(), [&](const auto& one) {
    return one.target.host == host && one.target.address == address;
  });
  return found == targets.end() ? nullptr : &*found;
}

model::ProbedPeer peer_of(const model::Route& route, const model::RouteHost& host,
                          const model::AddressBytes& address,
                          std::span<const CheckedTarget> targets) {
  model::ProbedPeer peer;
  peer.host = word(host.name);
  peer.preference = host.preference;
  peer.address = model::address_text(address);
  const auto* checked = find_target(targets, host.name, address);
  if (checked == nullptr) {
    peer.trouble = "it was not probed";
    return peer;
  }
  peer.port = checked->target.port;
  if (checked->seen != nullptr) {
    take_seen(*checked->seen, expected_of(route, host.name), peer);
  } else {
    peer.trouble =
        word(checked->refused.empty() ? "it was not probed" : "not probed: " + checked->refused);
  }
  return peer;
}

}  // namespace

Expected expected_of(const model::Route& route, std::string_view host) {
  // smtp_tls_secure_cert_match is nexthop and dot-nexthop; of an address the second is a name that
  // no certificate has, and OpenSSL wants both.
  if (route.kind == model::Route::Kind::Literal) return {std::string(host), {}};
  return {std::string(host), {route.name, "." + route.name}};
}

model::ProbeRecord summarise(const model::Route& route, std::span<const CheckedTarget> targets,
                             std::int64_t at) {
  model::ProbeRecord record;
  record.destination = word(route.next_hop);
  record.at = at;
  record.kind = route.kind;
  record.fault = route.fault;
  record.trouble = word(route.text);
  record.is_secure = route.is_secure;
  std::vector<WouldDeliver> each;
  for (const auto& host : route.hosts) {
    const auto name = word(host.name);
    const bool is_known =
        std::find(record.hosts.begin(), record.hosts.end(), name) != record.hosts.end();
    if (!is_known && record.hosts.size() < model::kMostRecordHosts) record.hosts.push_back(name);
    for (const auto& address : host.addresses) {
      auto peer = peer_of(route, host, address, targets);
      each.push_back(peer.would);
      if (record.peers.size() < model::kMostRecordPeers) record.peers.push_back(std::move(peer));
    }
  }
  record.would = any_of(each);
  return record;
}

}  // namespace engine
