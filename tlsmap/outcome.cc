#include "tlsmap/outcome.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/wire/scan.h"
#include "src/wire/status_text.h"

namespace tlsmap {
namespace {

using model::Cause;
using model::Level;
using model::Security;

constexpr std::string_view kRefused = "TLS is required, but host ";
constexpr std::string_view kNotOffered = "TLS is required, but was not offered by host ";

// One part of a DSN: RFC 3463 2 has at most three digits behind a dot.
bool take_digits(wire::Scan& scan) {
  constexpr std::size_t kMost = 3;
  return scan.take_run(base::is_digit, kMost).has_value();
}

// The host that a text of ours names, as "host[address]"; only what can stand in a name and an
// address. Empty where there is none: a path is no host that mail goes to by SMTP.
std::string host_behind(std::string_view text, std::string_view words) {
  wire::Scan scan(text);
  if (!scan.skip(words)) return {};
  const auto peer = wire::take_log_peer(scan);
  return peer && !peer->host.empty() ? fmt::format("{}[{}]", peer->host, peer->address)
                                     : std::string();
}

bool is_certificate_at_fault(Cause cause) {
  return cause == Cause::ValidationFailure || cause == Cause::CertificateNotTrusted ||
         cause == Cause::CertificateExpired || cause == Cause::CertificateHostMismatch;
}

}  // namespace

std::optional<Outcome> parse_outcome(std::string_view key) {
  if (key.empty() || (key[0] != '2' && key[0] != '4' && key[0] != '5')) return std::nullopt;
  wire::Scan scan(key.substr(1));
  if (!scan.skip(".") || !take_digits(scan) || !scan.skip(".") || !take_digits(scan)) {
    return std::nullopt;
  }
  const auto dsn = key.substr(0, key.size() - scan.rest().size());
  if (!scan.skip(" ") || scan.at_end()) return std::nullopt;
  return Outcome{key[0], dsn, scan.rest()};
}

std::optional<model::Evidence> evidence_of(const Outcome& outcome, std::optional<Level> level) {
  model::Evidence evidence;
  if (outcome.dsn_class == '2') {
    if (!level || !model::is_tls_required(*level)) return evidence;
    evidence.outcome.security =
        *level == Level::Encrypt ? Security::Encrypted : Security::Authenticated;
    evidence.text = fmt::format("delivered at level {}", model::to_word(*level));
    return evidence;
  }
  const auto meaning = wire::parse_status_text(outcome.text);
  if (!meaning.cause) return std::nullopt;
  evidence.outcome.cause = meaning.cause;
  if (is_certificate_at_fault(*meaning.cause)) evidence.outcome.security = Security::Encrypted;
  evidence.was_offered = model::is_starttls_offered(*meaning.cause);
  evidence.mx = *meaning.cause == Cause::StarttlsRefused ? host_behind(outcome.text, kRefused)
                                                         : host_behind(outcome.text, kNotOffered);
  evidence.text = model::to_word(*meaning.cause);
  return evidence;
}

std::optional<std::string> keep_refused(const Outcome& outcome) {
  if (outcome.dsn_class != '5') return std::nullopt;
  if (wire::parse_status_text(outcome.text).cause != Cause::StarttlsRefused) return std::nullopt;
  const auto host = host_behind(outcome.text, kRefused);
  if (host.empty()) return std::nullopt;
  return fmt::format("4.7.0 TLS is required, but host {} refused to start TLS", host);
}

std::optional<std::string> bounce_failed(const Outcome& outcome) {
  if (outcome.dsn_class != '4') return std::nullopt;
  const auto cause = wire::parse_status_text(outcome.text).cause;
  if (!cause) return std::nullopt;
  if (*cause == Cause::StarttlsNotSupported) {
    const auto host = host_behind(outcome.text, kNotOffered);
    if (host.empty()) return std::nullopt;
    return fmt::format("5.7.4 TLS is required, but was not offered by host {}", host);
  }
  if (is_certificate_at_fault(*cause)) {
    return "5.7.5 TLS is required, and the server certificate could not be verified";
  }
  if (*cause == Cause::HandshakeFailure) {
    return "5.7.5 TLS is required, and could not be started: handshake failure";
  }
  return "5.7.5 TLS is required, and was not to be had";
}

}  // namespace tlsmap
