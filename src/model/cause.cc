#include "src/model/cause.h"

namespace model {

std::string_view to_word(Security security) {
  switch (security) {
    case Security::Unknown:
      return "unknown";
    case Security::Clear:
      return "clear";
    case Security::Encrypted:
      return "encrypted";
    case Security::Authenticated:
      return "authenticated";
  }
  return "";
}

std::string_view to_word(Cause cause) {
  switch (cause) {
    case Cause::StarttlsNotSupported:
      return "starttls-not-supported";
    case Cause::CertificateHostMismatch:
      return "certificate-host-mismatch";
    case Cause::CertificateExpired:
      return "certificate-expired";
    case Cause::CertificateNotTrusted:
      return "certificate-not-trusted";
    case Cause::ValidationFailure:
      return "validation-failure";
    case Cause::TlsaInvalid:
      return "tlsa-invalid";
    case Cause::DnssecInvalid:
      return "dnssec-invalid";
    case Cause::DaneRequired:
      return "dane-required";
    case Cause::StsPolicyFetchError:
      return "sts-policy-fetch-error";
    case Cause::StsPolicyInvalid:
      return "sts-policy-invalid";
    case Cause::StsWebpkiInvalid:
      return "sts-webpki-invalid";
    case Cause::StarttlsRefused:
      return "starttls-refused";
    case Cause::HandshakeFailure:
      return "handshake-failure";
    case Cause::HangUp:
      return "hang-up";
    case Cause::Timeout:
      return "timeout";
    case Cause::Plaintext:
      return "plaintext";
    case Cause::PlaintextAfter220:
      return "plaintext-after-220";
    case Cause::LocalFault:
      return "local-fault";
  }
  return "";
}

std::optional<Security> parse_security(std::string_view word) {
  for (const Security each : kSecurities) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

std::optional<Cause> parse_cause(std::string_view word) {
  for (const Cause each : kCauses) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

}  // namespace model
