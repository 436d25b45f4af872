// How a delivery ended as far as TLS is concerned: how safely the mail travelled, and what went
// wrong. Data only; what follows from it is decided in engine/.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace model {

// What is known of the connection. "Unknown" is never taken for one of the others.
enum class Security : std::uint8_t {
  Unknown,        // nothing was seen either way: a 2.x at `may` proves nothing
  Clear,          // the mail, or what there was of it, went without TLS
  Encrypted,      // TLS; whose certificate it was is not confirmed
  Authenticated,  // TLS, and Postfix says "Verified": the peer is who the policy asked for
};
inline constexpr std::array kSecurities{Security::Unknown, Security::Clear, Security::Encrypted,
                                        Security::Authenticated};

// Why TLS, or the peer's identity, was not to be had. The words up to sts-webpki-invalid are RFC
// 8460's result types (4.3.1, 4.3.2), the others ours, where it has none.
enum class Cause : std::uint8_t {
  StarttlsNotSupported,
  CertificateHostMismatch,
  CertificateExpired,
  CertificateNotTrusted,
  ValidationFailure,  // any other reason not to believe the certificate
  TlsaInvalid,
  DnssecInvalid,
  DaneRequired,
  StsPolicyFetchError,
  StsPolicyInvalid,
  StsWebpkiInvalid,
  StarttlsRefused,    // offered, then answered with 4xx or 5xx
  HandshakeFailure,   // STARTTLS was accepted, and no session came of it
  HangUp,             // the peer closed or reset instead of answering STARTTLS or the handshake
  Timeout,            // the same, in silence
  Plaintext,          // TLS failed, and Postfix went on in clear by itself [F 3.2.1]
  PlaintextAfter220,  // more than the 220 came in answer to STARTTLS: somebody injects [R 2]
  LocalFault,         // our policy's answer or our TLS engine: never held against the peer
};
inline constexpr std::array kCauses{Cause::StarttlsNotSupported,
                                    Cause::CertificateHostMismatch,
                                    Cause::CertificateExpired,
                                    Cause::CertificateNotTrusted,
                                    Cause::ValidationFailure,
                                    Cause::TlsaInvalid,
                                    Cause::DnssecInvalid,
                                    Cause::DaneRequired,
                                    Cause::StsPolicyFetchError,
                                    Cause::StsPolicyInvalid,
                                    Cause::StsWebpkiInvalid,
                                    Cause::StarttlsRefused,
                                    Cause::HandshakeFailure,
                                    Cause::HangUp,
                                    Cause::Timeout,
                                    Cause::Plaintext,
                                    Cause::PlaintextAfter220,
                                    Cause::LocalFault};

// "starttls-not-supported", "handshake-failure"; "in clear" is one word: "clear".
std::string_view to_word(Security security);
std::string_view to_word(Cause cause);
std::optional<Security> parse_security(std::string_view word);
std::optional<Cause> parse_cause(std::string_view word);

// One ending. A bad certificate where one was required is {Encrypted, Certificate...}: the
// connection was encrypted, the identity not confirmed, and no mail went over it.
struct Outcome {
  Security security = Security::Unknown;
  std::optional<Cause> cause;  // nothing where TLS did what was asked of it
  bool operator==(const Outcome&) const = default;
};

// True where the cause itself shows that the peer offered STARTTLS in that session.
[[nodiscard]] constexpr bool is_starttls_offered(Cause cause) {
  switch (cause) {
    case Cause::CertificateHostMismatch:
    case Cause::CertificateExpired:
    case Cause::CertificateNotTrusted:
    case Cause::ValidationFailure:
    case Cause::StarttlsRefused:
    case Cause::HandshakeFailure:
    case Cause::HangUp:
    case Cause::Timeout:
    case Cause::Plaintext:
    case Cause::PlaintextAfter220:
      return true;
    case Cause::StarttlsNotSupported:
    case Cause::TlsaInvalid:
    case Cause::DnssecInvalid:
    case Cause::DaneRequired:
    case Cause::StsPolicyFetchError:
    case Cause::StsPolicyInvalid:
    case Cause::StsWebpkiInvalid:
    case Cause::LocalFault:
      return false;
  }
  return false;
}

// True where not even encryption was to be had: what `encrypt` fails on.
[[nodiscard]] constexpr bool is_tls_missing(Cause cause) {
  switch (cause) {
    case Cause::StarttlsNotSupported:
    case Cause::StarttlsRefused:
    case Cause::HandshakeFailure:
    case Cause::HangUp:
    case Cause::Timeout:
    case Cause::Plaintext:
    case Cause::PlaintextAfter220:
      return true;
    case Cause::CertificateHostMismatch:
    case Cause::CertificateExpired:
    case Cause::CertificateNotTrusted:
    case Cause::ValidationFailure:
    case Cause::TlsaInvalid:
    case Cause::DnssecInvalid:
    case Cause::DaneRequired:
    case Cause::StsPolicyFetchError:
    case Cause::StsPolicyInvalid:
    case Cause::StsWebpkiInvalid:
    case Cause::LocalFault:
      return false;
  }
  return false;
}

}  // namespace model
