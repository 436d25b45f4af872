#include "src/jobs/probe_notes.h"

#include <fmt/format.h>

#include "src/base/clock.h"

namespace jobs {
namespace {

// So many names say whose it is; a certificate may have thousands.
constexpr std::size_t kMostNamesShown = 12;

std::string time_of(std::int64_t at) {
  return base::iso_time(base::sys_seconds{std::chrono::seconds{at}});
}

std::string describe_certificate(const model::SeenCertificate& certificate, std::size_t place) {
  auto names = model::names_of(certificate);
  names.insert(names.end(), certificate.addresses.begin(), certificate.addresses.end());
  return fmt::format(
      "certificate {}: {}\n  names: {}\n  issued by {}\n  valid from {} to {}\n"
      "  key {} ({} bits), signed with {}",
      place + 1, certificate.subject.empty() ? "(no subject)" : certificate.subject,
      describe_names(names), certificate.issuer, time_of(certificate.not_before),
      time_of(certificate.not_after), certificate.key_type, certificate.key_bits,
      certificate.signature);
}

}  // namespace

std::string describe_session(const model::SeenTls& tls) {
  auto text = fmt::format("{}, {} ({} bits)", tls.protocol, tls.cipher, tls.bits);
  if (!tls.key_exchange.empty()) text += ", key exchange " + tls.key_exchange;
  if (tls.key_exchange_bits > 0) text += fmt::format(" ({} bits)", tls.key_exchange_bits);
  return text;
}

std::string describe_trust(const model::SeenTls& tls) {
  if (tls.trust == model::ChainTrust::Trusted) return "trusted";
  if (tls.trust == model::ChainTrust::NoCertificate) return "not trusted: there is no certificate";
  return "not trusted: " + tls.trust_text;
}

std::string describe_names(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMostNamesShown; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kMostNamesShown) {
    text += fmt::format(" and {} more", names.size() - kMostNamesShown);
  }
  return text;
}

std::vector<std::string> notes_of(const model::SeenTls& tls) {
  std::vector<std::string> notes{"encrypted: " + describe_session(tls)};
  for (std::size_t i = 0; i < tls.chain.size(); ++i) {
    notes.push_back(describe_certificate(tls.chain[i], i));
  }
  notes.push_back("the chain is " + describe_trust(tls));
  return notes;
}

}  // namespace jobs
