// Records of checks as tests want them: a host that does everything well, and how it fails.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/model/probe_record.h"

namespace test {

inline constexpr std::int64_t kDay = 86'400;

inline model::WouldDeliver all_yes() {
  return {true, true, true, true, true, true};
}

inline model::ProbedPeer good_peer(std::string host, std::string address = "192.0.2.1") {
  model::ProbedPeer peer;
  peer.host = std::move(host);
  peer.preference = 10;
  peer.address = std::move(address);
  peer.outcome.security = model::Security::Encrypted;
  peer.has_spoken = true;
  peer.was_offered = true;
  peer.protocol = "TLSv1.3";
  peer.cipher = "TLS_AES_256_GCM_SHA384";
  peer.bits = 256;
  peer.is_fit_to_authenticate = true;
  peer.trust = model::ChainTrust::Trusted;
  peer.is_named_for_verify = true;
  peer.is_named_for_secure = true;
  peer.names = peer.host + ":partner.example";
  peer.not_after = 1'000 * kDay;
  peer.issuer = "CN=R10,O=Example Trust,C=US";
  peer.pin = "AA:01";
  peer.fingerprint = "BB:01";
  peer.would = all_yes();
  return peer;
}

// Speaks SMTP, and offers no STARTTLS.
inline model::ProbedPeer plain_peer(std::string host, std::string address = "192.0.2.1") {
  model::ProbedPeer peer;
  peer.host = std::move(host);
  peer.address = std::move(address);
  peer.outcome = {model::Security::Clear, model::Cause::StarttlsNotSupported};
  peer.has_spoken = true;
  peer.would = {true, true, false, false, false, false};
  return peer;
}

// 4xx, or silence.
inline model::ProbedPeer silent_peer(std::string host, std::string address = "192.0.2.1") {
  model::ProbedPeer peer;
  peer.host = std::move(host);
  peer.address = std::move(address);
  peer.trouble = "no answer";
  return peer;
}

inline model::ProbeRecord record_of(std::string destination, std::int64_t at,
                                    std::vector<model::ProbedPeer> peers) {
  model::ProbeRecord record;
  record.destination = std::move(destination);
  record.at = at;
  for (const auto& peer : peers) {
    if (record.hosts.empty() || record.hosts.back() != peer.host) record.hosts.push_back(peer.host);
  }
  if (!peers.empty()) record.would = peers.front().would;
  record.peers = std::move(peers);
  return record;
}

inline model::ProbeRecord good_record(std::string destination, std::int64_t at) {
  return record_of(std::move(destination), at, {good_peer("mx.partner.example")});
}

}  // namespace test
