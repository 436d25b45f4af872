// One line of a mail log, and what Postfix says in it of TLS: smtp(8), lmtp(8) and their
// tlsproxy(8), of Postfix 3.4 to 3.12, under any syslog_name [F 3.3 to 3.7].
//
// A line in, a value out: no state, no I/O, no memory. All views point into the line, are bounded
// and hold only the characters that their field may have, but for DeliveryStatus::text, which may
// be a peer's and is for base::printable() alone. A line that was cut off gives what its whole
// fields say, or nothing. Anybody who may write to the log can forge a line: trust is the caller's
// affair.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "src/model/cause.h"
#include "src/model/level.h"
#include "src/wire/log_stamp.h"
#include "src/wire/status_text.h"

namespace wire {

// Longer lines are none: Postfix cuts its messages at 2000 bytes [F 3.7.3].
inline constexpr std::size_t kLongestLogLine = 8192;
inline constexpr std::size_t kLongestLogTag = 128;
inline constexpr std::size_t kLongestQueueId = 24;
inline constexpr std::size_t kLongestLogAddress = 512;  // of a recipient

// "postfix/relay/smtp[4242]".
struct LogProcess {
  std::string_view tag;   // postfix/relay/smtp: the service, as far as a log tells it
  std::string_view name;  // smtp: what runs
  std::uint32_t pid = 0;
};

// Postfix's word on the certificate, weakest first [F 3.5.1].
enum class PeerTrust : std::uint8_t { Anonymous, Untrusted, Trusted, Verified };

// "Trusted TLS connection established to mx.example[192.0.2.1]:25: TLSv1.3 with cipher ...".
struct TlsSession {
  PeerTrust trust = PeerTrust::Anonymous;
  bool is_reused = false;  // "reused": a connection that tlsproxy(8) kept [F 3.5.3]
  LogPeer peer;
  std::string_view protocol;  // empty where the line ends before it
};

// "SSL_connect error to ...", or tlsproxy's "TLS handshake failed for ...". HandshakeFailure, or
// HangUp or Timeout where the system said so.
struct HandshakeError {
  model::Cause cause = model::Cause::HandshakeFailure;
  LogPeer peer;  // tlsproxy names no host
};

// "certificate verification failed for ...", "server certificate verification failed for ...".
struct CertificateError {
  model::Cause cause = model::Cause::ValidationFailure;
  LogPeer peer;
};

// "QUEUEID: Cannot start TLS: handshake failure", "QUEUEID: lost connection with ...": one server
// of several, or the try before Postfix goes on in clear [F 3.2.3, 3.3.1].
struct ServerFailed {
  std::string_view queue_id;
  std::optional<model::Cause> cause;  // nothing: the connection was lost at some other stage
  bool is_connection_lost = false;
};

// "Host offered STARTTLS: [host]" [O 2].
struct StarttlsOffered {
  std::string_view host;
};

// "TLSRPT: status=failure, domain=D, receiving_mx=H[A], failure_type=...": tells the next-hop.
struct TlsReport {
  bool is_success = false;
  std::string_view domain;
  std::optional<model::Cause> cause;
};

// "warning: TLS policy lookup for NEXTHOP/MX: client TLS configuration problem" [F 2.5.1].
struct PolicyTrouble {
  std::string_view next_hop;
  model::Cause cause = model::Cause::LocalFault;
};

enum class DeliveryWord : std::uint8_t { Sent, Deferred, Bounced, Deliverable, Undeliverable };

// tls= of 3.11 and later, by the grammar [!]name[:name][?](/...)* [F 3.6].
struct TlsFeature {
  std::optional<model::Level> level;  // after the policy lookup; nothing for "unknown"
  bool is_violated = false;           // "!encrypt": refused, not offered, or not who was asked for
  bool is_undecided = false;          // "may?": connect or handshake failed
  std::string_view got;               // "none" of "may:none"; empty: what `level` says
};
// What travelled, or nothing was seen of it: Unknown where it is violated or undecided.
model::Security security_of(const TlsFeature& feature);
std::optional<TlsFeature> parse_tls_feature(std::string_view text);

struct DeliveryStatus {
  std::string_view queue_id;
  std::string_view to;           // user@domain, in whatever form Postfix wrote it
  std::optional<LogPeer> relay;  // nothing for "none"
  unsigned conn_use = 0;         // 0: not said, a connection of its own
  std::string_view delays;  // "a/b/c/d" in seconds; a and b are the same for one delivery request
  std::optional<TlsFeature> tls;
  std::string_view dsn;
  DeliveryWord word = DeliveryWord::Deferred;
  std::string_view text;  // of Postfix or of the peer
  StatusText meaning;
};
// The domain of `to`; empty where it has none.
std::string_view domain_of(const DeliveryStatus& status);

// master(8) started or reloaded: main.cf may say something else from here on.
struct ServiceStarted {};

// A line of a known form that says nothing of TLS.
struct NothingSaid {};

using LogFact =
    std::variant<NothingSaid, TlsSession, HandshakeError, CertificateError, ServerFailed,
                 StarttlsOffered, TlsReport, PolicyTrouble, DeliveryStatus, ServiceStarted>;

struct LogLine {
  LogStamp stamp;
  std::string_view host;
  LogProcess process;
  LogFact fact;
};

// Without its line end. Nothing where the line isn't STAMP HOST TAG[PID]: MESSAGE.
std::optional<LogLine> parse_log_line(std::string_view line);

// The name of the program that wrote a line, found without reading the rest: of every line that
// parse_log_line() takes, process.name. Of others it may be anything.
std::string_view program_of(std::string_view line);

// The message of a process alone, for a source that has the rest as fields (journald).
LogFact parse_log_message(const LogProcess& process, std::string_view message);

}  // namespace wire
