#include "src/jobs/seen_tls.h"

#include <utility>

namespace jobs {
namespace {

// "c923..." as "C9:23:...": tls/tls_fprint.c.
std::string as_pin(const std::string& digest) {
  std::string pin;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    if (i > 0 && i % 2 == 0) pin += ':';
    const char c = digest[i];
    pin += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return pin;
}

model::ChainTrust trust_of(net::ChainVerdict verdict) {
  using net::ChainVerdict;
  switch (verdict) {
    case ChainVerdict::Trusted:
      return model::ChainTrust::Trusted;
    case ChainVerdict::SelfSigned:
      return model::ChainTrust::SelfSigned;
    case ChainVerdict::UntrustedIssuer:
      return model::ChainTrust::UntrustedIssuer;
    case ChainVerdict::Incomplete:
      return model::ChainTrust::Incomplete;
    case ChainVerdict::Expired:
      return model::ChainTrust::Expired;
    case ChainVerdict::NotYetValid:
      return model::ChainTrust::NotYetValid;
    case ChainVerdict::TooWeak:
      return model::ChainTrust::TooWeak;
    case ChainVerdict::Faulty:
      return model::ChainTrust::Faulty;
    case ChainVerdict::NoCertificate:
      return model::ChainTrust::NoCertificate;
  }
  return model::ChainTrust::Faulty;
}

model::SeenCertificate seen_certificate(net::PeerCertificate&& from) {
  model::SeenCertificate to;
  to.subject = std::move(from.subject);
  to.issuer = std::move(from.issuer);
  to.common_name = std::move(from.common_name);
  to.dns_names = std::move(from.dns_names);
  to.addresses = std::move(from.addresses);
  to.not_before = from.not_before;
  to.not_after = from.not_after;
  to.key_type = std::move(from.key_type);
  to.key_bits = from.key_bits;
  to.signature = std::move(from.signature);
  to.fingerprint = as_pin(from.digest);
  to.key_fingerprint = as_pin(from.key_digest);
  return to;
}

}  // namespace

model::SeenTls seen_tls(net::PeerTls peer) {
  model::SeenTls seen;
  seen.protocol = std::move(peer.protocol);
  seen.cipher = std::move(peer.cipher);
  seen.bits = peer.bits;
  seen.key_exchange = std::move(peer.key_exchange);
  seen.key_exchange_bits = peer.key_exchange_bits;
  seen.is_fit_to_authenticate = peer.is_above_level_1;
  for (auto& each : peer.chain) seen.chain.push_back(seen_certificate(std::move(each)));
  seen.trust = trust_of(peer.verdict);
  seen.trust_text = std::move(peer.verdict_text);
  return seen;
}

}  // namespace jobs
