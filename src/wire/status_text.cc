#include "src/wire/status_text.h"

#include <array>
#include <utility>

namespace wire {
namespace {

using model::Cause;

constexpr std::array<std::pair<std::string_view, Cause>, 9> kWholeTexts{
    {{"Cannot start TLS: handshake failure", Cause::HandshakeFailure},
     // The reason is in an earlier line [O 1, "Deferral texts"].
     {"Server certificate not verified", Cause::ValidationFailure},
     {"Server certificate not trusted", Cause::CertificateNotTrusted},  // 3.4, 3.5
     {"client TLS configuration problem", Cause::LocalFault},
     {"TLS is required, but our TLS engine is unavailable", Cause::LocalFault},
     {"TLS is required, but unavailable", Cause::LocalFault},
     {"no TLSA records found", Cause::DaneRequired},
     {"non DNSSEC destination", Cause::DaneRequired},
     {"TLSA records unusable", Cause::TlsaInvalid}}};

bool is_host_byte(char c) {
  return base::is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
}

bool is_path_byte(char c) {
  return c > ' ' && c < '\x7f' && c != '[' && c != ']' && c != ',' && c != '<' && c != '>';
}

// "H[A]" or "H[A]:P", then `end` and no more.
bool ends_with_peer(Scan scan, std::string_view end) {
  return take_log_peer(scan) && scan.skip(end) && scan.at_end();
}

std::optional<Cause> parse_whole(std::string_view text) {
  for (const auto& [words, cause] : kWholeTexts) {
    if (text == words) return cause;
  }
  Scan scan(text);
  if (scan.skip("TLS is required, but was not offered by host ")) {
    return ends_with_peer(scan, "") ? std::optional(Cause::StarttlsNotSupported) : std::nullopt;
  }
  if (scan.skip("TLSA lookup error for ")) {
    const auto host = scan.take_run(is_host_byte, kLongestPeerHost);
    return host && scan.at_end() ? std::optional(Cause::DnssecInvalid) : std::nullopt;
  }
  return std::nullopt;
}

// "lost connection with P while STAGE", "conversation with P timed out while STAGE" [F 3.3]. Of the
// stages only the answer to STARTTLS is about TLS; the others are words of Postfix's too.
StatusText parse_lost_connection(std::string_view text) {
  StatusText found;
  Scan scan(text);
  const bool is_timeout = scan.skip("conversation with ");
  if (!is_timeout && !scan.skip("lost connection with ")) return found;
  if (!take_log_peer(scan) || !scan.skip(is_timeout ? " timed out while " : " while "))
    return found;
  found.is_connection_lost = true;
  if (scan.rest() == "receiving the STARTTLS response") {
    found.cause = is_timeout ? Cause::Timeout : Cause::HangUp;
  }
  return found;
}

}  // namespace

std::optional<LogPeer> take_log_peer(Scan& scan) {
  Scan ahead = scan;
  LogPeer peer;
  if (ahead.rest().starts_with('/')) {
    // A path ends where is_path_byte says; ": " behind it must not be taken for a part of it.
    const auto path =
        ahead.take_run([](char c) { return is_path_byte(c) && c != ':'; }, kLongestPeerAddress);
    if (!path) return std::nullopt;
    peer.address = *path;
    scan = ahead;
    return peer;
  }
  const auto host = ahead.take_run(is_host_byte, kLongestPeerHost);
  if (!host || !ahead.skip("[")) return std::nullopt;
  const auto address = ahead.take_run(is_path_byte, kLongestPeerAddress);
  if (!address || !ahead.skip("]")) return std::nullopt;
  peer.host = *host;
  peer.address = *address;
  Scan port = ahead;
  if (port.skip(":")) {
    if (const auto digits = port.take_run(base::is_digit, kLongestPeerPort)) {
      peer.port = *digits;
      ahead = port;
    }
  }
  scan = ahead;
  return peer;
}

StatusText parse_status_text(std::string_view text, bool is_whole) {
  StatusText found;
  Scan scan(text);
  if (scan.skip("delivery temporarily suspended: ")) {
    found.is_suspended = true;
    return found;
  }
  if (scan.skip("TLS is required, but host ")) {
    if (take_log_peer(scan) && scan.skip(" refused to start TLS: ")) {
      found.cause = Cause::StarttlsRefused;
    }
    return found;
  }
  if (!is_whole) return found;
  found = parse_lost_connection(text);
  if (!found.is_connection_lost) found.cause = parse_whole(text);
  return found;
}

}  // namespace wire
