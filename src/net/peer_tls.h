// What a TLS session shows of its peer, in plain values: protocol, cipher, key exchange, and the
// chain of certificates with what the authorities say of it. The texts are the peer's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/net/tls_context.h"

struct ssl_st;

namespace net {

struct PeerCertificate {
  std::string subject;  // RFC 4514
  std::string issuer;
  std::string common_name;
  std::vector<std::string> dns_names;  // none with a NUL in it
  std::vector<std::string> addresses;
  std::int64_t not_before = 0;  // seconds since the epoch
  std::int64_t not_after = 0;
  std::string key_type;  // "RSA", "EC prime256v1", "ED25519"
  int key_bits = 0;
  std::string signature;
  std::string digest;      // SHA-256 of the certificate: 64 lower-case hexadecimal digits
  std::string key_digest;  // of its SubjectPublicKeyInfo
};

enum class ChainVerdict : std::uint8_t {
  Trusted,
  SelfSigned,
  UntrustedIssuer,
  Incomplete,
  Expired,
  NotYetValid,
  TooWeak,
  Faulty,
  NoCertificate,
};

struct PeerTls {
  std::string protocol;
  std::string cipher;
  int bits = 0;
  std::string key_exchange;
  int key_exchange_bits = 0;
  // At OpenSSL's security level 1 the handshake would have come to pass too.
  bool is_above_level_1 = false;
  std::vector<PeerCertificate> chain;
  ChainVerdict verdict = ChainVerdict::NoCertificate;
  std::string verdict_text;
};

// Of a session whose handshake is over. The chain is judged as of now, at security level 1, as
// smtp(8) does wherever the level asks for a certificate; names play no part.
PeerTls describe_peer(ssl_st* session, const TlsContext& context);

}  // namespace net
