// What one check of one destination found, in brief: the record that goes from role `net` to role
// `store`, stands in state.db and is compared with the one before. Data only, bounded, and without
// a text of the peer's that is not filtered: engine/probe_summary makes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/model/cause.h"
#include "src/model/mail_route.h"
#include "src/model/probed_address.h"
#include "src/model/would_deliver.h"

namespace model {

// Bounds.
inline constexpr std::size_t kMostRecordHosts = 50;
inline constexpr std::size_t kMostRecordPeers = 32;     // the most preferred ones
inline constexpr std::size_t kMostRecordNames = 512;    // bytes of a peer's names, ':' between
inline constexpr std::size_t kLongestRecordWord = 255;  // bytes of any other text

// One address of one host.
struct ProbedPeer {
  std::string host;  // A-labels; of an address its text
  std::uint16_t preference = 0;
  std::string address;
  std::uint16_t port = 25;
  Outcome outcome;  // {Unknown, nothing}: it did not say, or was not asked
  std::string trouble;
  bool has_spoken = false;      // EHLO or HELO was answered
  bool was_offered = false;     // STARTTLS
  bool is_crossed_out = false;  // a capability came back as X's
  // Of the TLS session; empty where there was none.
  std::string protocol;
  std::string cipher;
  int bits = 0;
  bool is_fit_to_authenticate = false;
  // Of the peer's own certificate, from here on; NoCertificate where there was none.
  ChainTrust trust = ChainTrust::NoCertificate;
  bool is_named_for_verify = false;  // the host's name
  bool is_named_for_secure = false;  // the next-hop or a name below it
  std::string names;                 // those that Postfix compares, ':' between
  bool has_more_names = false;
  std::int64_t not_after = 0;  // seconds since the epoch; 0: no certificate
  std::string issuer;
  std::string pin;          // of the public key, "C9:23:..."
  std::string fingerprint;  // of the whole certificate
  WouldDeliver would;
  bool operator==(const ProbedPeer&) const = default;
};

struct ProbeRecord {
  std::string destination;  // as a row would have it, in normal form
  std::int64_t at = 0;      // when the check ended, seconds since the epoch
  Route::Kind kind = Route::Kind::Mx;
  std::optional<RouteFault> fault;  // then there are no peers
  std::string trouble;              // the fault as a sentence, or what was left out
  bool is_secure = false;           // the answer about MX records was signed
  // The hosts of the route, each once, most preferred first, those without address too.
  std::vector<std::string> hosts;
  std::vector<ProbedPeer> peers;  // most preferred first
  WouldDeliver would;             // of all together, as smtp(8) chooses among them
  bool operator==(const ProbeRecord&) const = default;
};

}  // namespace model
