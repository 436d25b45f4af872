// The request of Postfix's policy delegation: "name=value" lines and an empty one
// (util/attr_clnt.c, util/attr_scan_plain.c; SMTPD_POLICY_README). Bytes in, values out; no state,
// no I/O, no decision.
//
// The order of attributes is free and unknown ones are passed over, as the protocol demands. A CR
// is a byte like any other, so a client that ends its lines with CRLF is malformed, as it is to
// Postfix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace policyd {

// Bounds of one request: all its bytes, all its lines.
inline constexpr std::size_t kLongestRequest = 16 * 1024;
inline constexpr std::size_t kMostAttributes = 100;

// `protocol_state`; Unknown for a word of a newer Postfix, or none. BDAT is shown as DATA [F 5.1].
enum class ProtocolState : std::uint8_t {
  Unknown,
  Connect,
  Ehlo,
  Helo,
  Mail,
  Rcpt,
  Data,
  EndOfMessage,
  Vrfy,
  Etrn,
};

// What Postfix said [F 5.1, 5.2]. Absent and empty are the same. Views point into the input.
struct Request {
  ProtocolState state = ProtocolState::Unknown;
  std::string_view protocol_name;
  std::string_view helo_name;
  std::string_view queue_id;
  std::string_view sender;
  std::string_view recipient;
  std::string_view client_address;
  std::string_view client_name;
  std::string_view reverse_client_name;
  std::string_view client_port;
  std::string_view server_address;
  std::string_view server_port;
  std::string_view instance;
  std::string_view policy_context;
  std::string_view etrn_domain;
  std::string_view stress;
  std::string_view sasl_method;
  std::string_view sasl_username;
  std::string_view sasl_sender;
  std::string_view ccert_fingerprint;  // of any certificate shown, verified or not [F 5.2.3]
  std::string_view ccert_pubkey_fingerprint;
  std::string_view encryption_protocol;  // empty: plaintext
  std::string_view encryption_cipher;
  std::string_view tls_sni;
  std::string_view compatibility_level;
  std::string_view mail_version;
  std::string ccert_subject;  // decoded; not empty only where the chain verified [F 5.2.2]
  std::string ccert_issuer;
  std::uint32_t encryption_keysize = 0;
  std::uint64_t recipient_count = 0;
  std::uint64_t size = 0;
};

struct NeedMore {};
struct Complete {
  Request request;
  std::size_t consumed = 0;  // with the empty line
};
struct Malformed {
  std::string_view why;
};
using ParsedRequest = std::variant<NeedMore, Complete, Malformed>;

// Looks for one request at the start of `input`. Call again with more bytes after NeedMore; a bad
// line and a bound that is passed are Malformed at once. So are: no request=smtpd_access_policy, a
// NUL, a known attribute given twice, a number that is none.
ParsedRequest parse_request(std::string_view input);

}  // namespace policyd
