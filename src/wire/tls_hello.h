// The first message of a TLS client that offers only what nobody should take any more, and what a
// server answers to it: enough to learn whether it would, and never a session. As bytes, because
// the TLS library of Debian can't speak most of it (SSL 3.0, RC4, DES, export). Keeps no state,
// does no I/O.
//
// A server that answers with its ServerHello has agreed: protocol and cipher are settled by it (RFC
// 5246 7.4.1.3), and OpenSSL and GnuTLS have looked for a key that fits before they send it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "src/wire/netstring.h"

namespace wire {

enum class TlsOffer : std::uint8_t {
  // TLS 1.1 and older (RFC 8996, RFC 7568), with any cipher they have.
  OldProtocols,
  // TLS 1.2 and older, with ciphers alone that keep nothing secret, or not for long: without
  // encryption, export grade, DES, RC2, RC4 (RFC 7465), and 64-bit blocks (SWEET32). Anonymous ones
  // are left out: a sender who looks at certificates offers none, to others they do no harm [F 3].
  BrokenCiphers,
};

// Names in OpenSSL's words, which Postfix has too.
struct TlsChoice {
  std::string_view protocol;  // "TLSv1.1"
  std::string_view cipher;    // "RC4-SHA"
  bool operator==(const TlsChoice&) const = default;
};
struct TlsRefusal {
  std::uint8_t alert = 0;  // RFC 5246 7.2
  bool operator==(const TlsRefusal&) const = default;
};
// Malformed too where it chooses what was not offered.
using TlsAnswer = std::variant<NeedMore, TlsChoice, TlsRefusal, Malformed>;

// Each longer answer is decided.
inline constexpr std::size_t kLongestTlsAnswer = 2048;

// Always the same bytes: no session comes of it, so nothing in it is a secret.
std::string make_client_hello(TlsOffer offer);
// From the first byte of the server's on.
TlsAnswer parse_tls_answer(TlsOffer offer, std::string_view bytes);

// "protocol_version", or "alert 200".
std::string alert_word(std::uint8_t alert);

}  // namespace wire
