// A certificate as a peer showed it, and which names it is good for. Data, and the one question
// that Postfix asks of the names; whether anybody vouches for it stands in probed_address.h. The
// texts are the peer's: they are filtered where they are shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

struct SeenCertificate {
  std::string subject;  // RFC 4514 order, "CN=mx.example,O=Example"
  std::string issuer;
  std::string common_name;             // the last of the subject; empty where there is none
  std::vector<std::string> dns_names;  // subjectAltName
  std::vector<std::string> addresses;  // subjectAltName, as text
  std::int64_t not_before = 0;         // seconds since the epoch
  std::int64_t not_after = 0;
  std::string key_type;  // "RSA", "EC prime256v1", "ED25519"
  int key_bits = 0;
  std::string signature;  // "sha256WithRSAEncryption"
  // SHA-256 as Postfix writes it: "C9:23:...". Of the whole, and of the public key alone
  // (tls/tls_fprint.c).
  std::string fingerprint;
  std::string key_fingerprint;
  bool operator==(const SeenCertificate&) const = default;
};

// The names that Postfix compares: those of subjectAltName, or the common name where it has no
// dNSName (X509_check_host(3)).
std::vector<std::string> names_of(const SeenCertificate& certificate);

// True where `reference` is one of them: "mx.example.com", ".example.com" (anything below it, at
// any depth) or "192.0.2.1". A certificate's '*' stands for one whole label at the left, with two
// labels at least behind it (X509_check_host(3) with X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS).
[[nodiscard]] bool is_named(const SeenCertificate& certificate, std::string_view reference);

// Days from `now` to the end of its time, rounded down; negative once it is over.
[[nodiscard]] std::int64_t days_left(const SeenCertificate& certificate, std::int64_t now);

}  // namespace model
