// The small languages inside a policy: lists of protocols, host names, cipher grades, exclusions.
// Postfix reads them in tls/tls_misc.c and util/valid_hostname.c, partly only when the handshake
// begins, where a mistake looks like a failure of the peer [F 2.4].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tlsmap {

// util/valid_hostname.c: '_' is a letter, all digits are no name.
[[nodiscard]] bool is_host_name(std::string_view text);

// Of `ciphers=`, in any version: high, medium, low, export, null.
[[nodiscard]] bool is_cipher_grade(std::string_view word);

// One bit each; SSLv2 has none, no OpenSSL of our time can speak it.
enum class Protocol : std::uint8_t { Ssl3 = 1, Tls10 = 2, Tls11 = 4, Tls12 = 8, Tls13 = 16 };
[[nodiscard]] constexpr unsigned bit(Protocol protocol) {
  return static_cast<unsigned>(protocol);
}

struct ProtocolList {
  unsigned usable = 0;       // the protocols left after exclusions and bounds
  bool has_bounds = false;   // `>=` or `<=`: Postfix 3.6 and newer
  bool names_tls13 = false;  // a word that Postfix knows since 3.4
  std::string_view
      unknown;  // the first word that Postfix doesn't know; then the rest means nothing
};

// A `protocols=` value, as tls_proto_mask_lims() has it: names include, `!` excludes, the last
// bound of each kind holds. Its hexadecimal versions are unknown words to us.
ProtocolList parse_protocols(std::string_view value);
[[nodiscard]] constexpr bool has_usable_tls(const ProtocolList& list) {
  return (list.usable & ~bit(Protocol::Ssl3)) != 0;
}

// The same set in the form that every version reads: "!SSLv2:!SSLv3:!TLSv1".
void append_exclusions(std::string& out, unsigned usable);

// The first word of an `exclude=` value that makes Postfix give up the handshake (an operator in
// front of it) or that no cipher can be called, or nothing.
std::optional<std::string_view> find_bad_exclusion(std::string_view value);

}  // namespace tlsmap
