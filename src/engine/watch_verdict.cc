#include "src/engine/watch_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/engine/protocol.h"
#include "src/model/next_hop.h"
#include "src/model/seen_certificate.h"

namespace engine {
namespace {

using model::ChainTrust;
using model::Level;
using model::ProbedPeer;

// "AA:BB:...": SHA-256, the only digest that a record has.
constexpr std::size_t kPinSize = 32 * 3 - 1;

std::string clause_of(model::Cause cause) {
  if (cause == model::Cause::StarttlsNotSupported) return "no STARTTLS";
  std::string text(model::to_word(cause));
  std::replace(text.begin(), text.end(), '-', ' ');
  return text;
}

constexpr std::array<std::pair<ChainTrust, std::string_view>, 7> kTrustClauses{
    {{ChainTrust::SelfSigned, "self-signed certificate"},
     {ChainTrust::UntrustedIssuer, "certificate of an issuer that is not trusted"},
     {ChainTrust::Incomplete, "certificate chain incomplete"},
     {ChainTrust::Expired, "certificate expired"},
     {ChainTrust::NotYetValid, "certificate not yet valid"},
     {ChainTrust::TooWeak, "certificate too weak"},
     {ChainTrust::Faulty, "certificate not valid"}}};

// Of a chain that is not trusted.
std::string clause_of(ChainTrust trust) {
  for (const auto& [each, clause] : kTrustClauses) {
    if (each == trust) return std::string(clause);
  }
  return "no certificate";
}

WatchVerdict unknown(std::string why) {
  return {std::nullopt, std::move(why)};
}
WatchVerdict no(std::string why) {
  return {false, std::move(why)};
}

std::string trouble_of(const ProbedPeer& peer) {
  return peer.trouble.empty() ? "it did not say" : peer.trouble;
}

WatchVerdict as_answered(std::optional<bool> answer, const ProbedPeer& peer) {
  if (answer == true) return {true, {}};
  if (answer == false && peer.outcome.cause) return no(clause_of(*peer.outcome.cause));
  return answer ? no(trouble_of(peer)) : unknown(trouble_of(peer));
}

// The words of Postfix's match= [F 2.4]; what stands for a name becomes it.
std::vector<std::string> names_meant(const AskedLevel& asked, const ProbedPeer& peer,
                                     std::string_view next_hop) {
  std::vector<std::string> names;
  for (const auto word : base::split(asked.match, ":")) {
    if (word == "hostname") {
      names.push_back(peer.host);
    } else if (word == "nexthop") {
      names.emplace_back(next_hop);
    } else if (word == "dot-nexthop") {
      names.push_back("." + std::string(next_hop));
    } else {
      names.emplace_back(word);
    }
  }
  return names;
}

WatchVerdict judge_names(const AskedLevel& asked, const ProbedPeer& peer,
                         std::string_view next_hop) {
  if (asked.match.empty()) {
    const bool is_verify = asked.level == Level::Verify;
    if (is_verify ? peer.is_named_for_verify : peer.is_named_for_secure) return {true, {}};
    return no(is_verify
                  ? fmt::format("certificate does not name {}", peer.host)
                  : fmt::format("certificate names neither {} nor anything below it", next_hop));
  }
  model::SeenCertificate leaf;
  for (const auto name : base::split(peer.names, ":")) leaf.dns_names.emplace_back(name);
  for (const auto& name : names_meant(asked, peer, next_hop)) {
    const bool is_host = name == peer.host && peer.is_named_for_verify;
    if (is_host || model::is_named(leaf, name)) return {true, {}};
  }
  if (peer.has_more_names) return unknown("the certificate has more names than are kept");
  return no("certificate has none of the names asked for");
}

WatchVerdict judge_pin(const AskedLevel& asked, const ProbedPeer& peer) {
  bool has_other_digest = false;
  for (const auto pin : base::split(asked.match, "|")) {
    if (base::is_equal_ignoring_case(pin, peer.pin) ||
        base::is_equal_ignoring_case(pin, peer.fingerprint)) {
      return {true, {}};
    }
    has_other_digest = has_other_digest || pin.size() != kPinSize;
  }
  if (has_other_digest && peer.pin.size() == kPinSize) {
    return unknown("pins by another digest than SHA-256 are not compared");
  }
  return no("certificate has none of the pins asked for");
}

// Of a peer that did TLS: whether it is who the row asks for.
WatchVerdict judge_identity(const AskedLevel& asked, const ProbedPeer& peer,
                            std::string_view next_hop) {
  if (asked.has_own_servername) {
    return unknown("its row sends a server name, which a probe does not");
  }
  if (peer.not_after == 0 && peer.fingerprint.empty()) {
    return no(clause_of(ChainTrust::NoCertificate));
  }
  if (!peer.is_fit_to_authenticate) return no("its TLS is too weak to prove who it is");
  if (asked.level == Level::Fingerprint) return judge_pin(asked, peer);
  if (asked.has_own_anchors) return unknown("its row trusts other authorities than a probe does");
  if (peer.trust != ChainTrust::Trusted) return no(clause_of(peer.trust));
  return judge_names(asked, peer, next_hop);
}

WatchVerdict judge_one(const AskedLevel& asked, const ProbedPeer& peer, std::string_view next_hop) {
  if (asked.level == Level::None) return as_answered(peer.would.off, peer);
  if (asked.level == Level::May) return as_answered(peer.would.opportunistic, peer);
  if (asked.level == Level::Dane) return unknown("a probe does not look at TLSA records");
  auto verdict = as_answered(peer.would.required, peer);
  if (verdict.delivers != true) return verdict;
  if (asked.min_protocol && !is_protocol_enough(peer.protocol, *asked.min_protocol)) {
    return no(
        fmt::format("{} is older than {}", peer.protocol, model::to_word(*asked.min_protocol)));
  }
  if (asked.level == Level::Encrypt) return verdict;
  if (asked.level == Level::DaneOnly) return unknown("a probe does not look at TLSA records");
  return judge_identity(asked, peer, next_hop);
}

std::string_view next_hop_of(std::string_view destination) {
  return model::host_of(destination);
}

}  // namespace

std::optional<AskedLevel> asked_by(const model::PolicyRow& row) {
  if (row.profile == nullptr || !row.fault.empty()) return std::nullopt;
  const auto& profile = *row.profile;
  AskedLevel asked;
  asked.level = profile.level;
  asked.fallback = profile.fallback;
  asked.profile = profile.name;
  asked.match = row.match;
  asked.min_protocol = profile.min_protocol;
  asked.has_own_anchors = !profile.tafile.empty();
  asked.has_own_servername = !profile.servername.empty();
  return asked;
}

bool is_stricter_than_opportunistic(const model::Profile& profile) {
  return model::strictness(profile.level) > model::strictness(Level::May) ||
         profile.fallback == model::Fallback::UnlessOffered ||
         profile.fallback == model::Fallback::Reroute;
}

bool minds_expiry(Level level) {
  return level == Level::Verify || level == Level::Secure;
}

WatchVerdict judge_peer(const AskedLevel& asked, const ProbedPeer& peer,
                        std::string_view destination) {
  return judge_one(asked, peer, next_hop_of(destination));
}

WatchVerdict judge_record(const AskedLevel& asked, const model::ProbeRecord& record) {
  if (record.fault) {
    return unknown(record.trouble.empty() ? std::string(model::to_word(*record.fault))
                                          : record.trouble);
  }
  std::optional<WatchVerdict> first_no;
  std::optional<WatchVerdict> first_unknown;
  std::size_t good = 0;
  for (const auto& peer : record.peers) {
    auto verdict = judge_peer(asked, peer, record.destination);
    if (verdict.delivers == true) {
      ++good;
    } else if (verdict.delivers == false && !first_no) {
      first_no = std::move(verdict);
    } else if (!verdict.delivers && !first_unknown) {
      first_unknown = std::move(verdict);
    }
  }
  if (good == record.peers.size() && good > 0) return {true, {}};
  if (good > 0) return {true, fmt::format("at {} of {} addresses", good, record.peers.size())};
  if (first_unknown) return *first_unknown;
  return first_no.value_or(unknown("it was not probed"));
}

}  // namespace engine
