#include "src/wire/tlsrpt.h"

#include <string>

#include "src/wire/json_scan.h"
#include "src/wire/status_text.h"

namespace wire {
namespace {

using model::Cause;
using model::Security;

constexpr std::string_view kHandshakeReason = "tls-handshake-failure";

std::string_view take_plain(JsonScan& scan) {
  bool is_plain = true;
  const auto text = scan.take_string(is_plain);
  return is_plain ? text : std::string_view();
}

TlsrptFailure take_failure(JsonScan& scan) {
  TlsrptFailure failure;
  scan.take_object([&](std::string_view key) {
    if (key == "c") {
      failure.code = scan.take_integer();
    } else if (key == "n") {
      failure.mx = take_plain(scan);
    } else if (key == "r") {
      failure.address = take_plain(scan);
    } else if (key == "f") {
      failure.reason = take_plain(scan);
    } else {
      scan.skip_value();
    }
  });
  return failure;
}

// `is_whole`: it says how it ended, and does so without contradicting itself.
TlsrptPolicy take_policy(JsonScan& scan, bool& is_whole) {
  TlsrptPolicy policy;
  std::optional<std::int64_t> failed;
  std::optional<std::int64_t> final;
  scan.take_object([&](std::string_view key) {
    if (key == "failure-details") {
      scan.take_array([&] { policy.failures.push_back(take_failure(scan)); });
    } else if (key == "t") {
      failed = scan.take_integer();
    } else if (key == "f") {
      final = scan.take_integer();
    } else {
      scan.skip_value();
    }
  });
  policy.is_failure = !policy.failures.empty();
  is_whole = is_whole && failed && final && (*failed != 0) == policy.is_failure &&
             (*final != 0) == policy.is_failure;
  return policy;
}

// "host[address]" where both can stand in such; empty otherwise.
std::string peer_text(const TlsrptFailure& failure) {
  std::string text(failure.mx);
  text += '[';
  text += failure.address;
  text += ']';
  Scan scan(text);
  return take_log_peer(scan) && scan.at_end() ? text : std::string();
}

model::Evidence evidence_of(const TlsrptPolicy& policy, const model::Outcome& outcome) {
  model::Evidence evidence;
  evidence.source = model::Source::Tlsrpt;
  evidence.outcome = outcome;
  evidence.was_offered = !outcome.cause || model::is_starttls_offered(*outcome.cause);
  evidence.text = "TLSRPT: ";
  evidence.text += outcome.cause ? model::to_word(*outcome.cause) : std::string_view("success");
  if (policy.is_failure) evidence.mx = peer_text(policy.failures.front());
  return evidence;
}

}  // namespace

base::Result<TlsrptDatagram> parse_tlsrpt(std::string_view datagram) {
  if (datagram.size() > kLargestTlsrptDatagram) return base::Error{"it is too long"};
  JsonScan scan(datagram, {kDeepestTlsrpt, kMostTlsrptMembers, kMostTlsrptItems});
  TlsrptDatagram parsed;
  bool is_whole = true;
  scan.take_object([&](std::string_view key) {
    if (key == "d") {
      parsed.domain = take_plain(scan);
    } else if (key == "policies") {
      scan.take_array([&] { parsed.policies.push_back(take_policy(scan, is_whole)); });
    } else {
      scan.skip_value();
    }
  });
  scan.finish();
  if (!scan.fault().empty()) return base::Error{std::string(scan.fault())};
  if (parsed.domain.empty()) return base::Error{"it names no domain"};
  if (parsed.policies.empty()) return base::Error{"it has no policy"};
  if (!is_whole) return base::Error{"it does not say whether TLS came about"};
  return parsed;
}

std::optional<model::Outcome> outcome_of(const TlsrptFailure& failure) {
  const auto doubt = [](Cause cause) { return model::Outcome{Security::Encrypted, cause}; };
  const auto fault = [](Cause cause) { return model::Outcome{Security::Unknown, cause}; };
  switch (failure.code) {
    case 201:
      return fault(Cause::StarttlsNotSupported);
    case 202:
      return doubt(Cause::CertificateHostMismatch);
    case 203:
      return doubt(Cause::CertificateNotTrusted);
    case 204:
      return doubt(Cause::CertificateExpired);
    case 205:
      return failure.reason == kHandshakeReason ? fault(Cause::HandshakeFailure)
                                                : doubt(Cause::ValidationFailure);
    case 301:
      return fault(Cause::StsPolicyFetchError);
    case 302:
      return fault(Cause::StsPolicyInvalid);
    case 303:
      return fault(Cause::StsWebpkiInvalid);
    case 304:
      return fault(Cause::TlsaInvalid);
    case 305:
      return fault(Cause::DnssecInvalid);
    case 306:
      return fault(Cause::DaneRequired);
    case 901:
      return fault(Cause::LocalFault);
  }
  return std::nullopt;
}

std::vector<model::Evidence> evidence_of(const TlsrptDatagram& datagram) {
  std::vector<model::Evidence> found;
  for (const auto& policy : datagram.policies) {
    // Several servers of one moment are one failure.
    const auto outcome = policy.is_failure
                             ? outcome_of(policy.failures.front())
                             : std::optional(model::Outcome{Security::Encrypted, std::nullopt});
    if (outcome) found.push_back(evidence_of(policy, *outcome));
  }
  return found;
}

}  // namespace wire
