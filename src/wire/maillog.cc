#include "src/wire/maillog.h"

#include <array>
#include <string>
#include <utility>

#include "src/wire/maillog_status.h"

namespace wire {
namespace {

using model::Cause;

constexpr std::size_t kLongestLogHost = 255;
constexpr std::size_t kLongestPid = 10;
constexpr std::size_t kLongestProtocol = 16;
constexpr std::size_t kLongestNextHop = 300;

constexpr std::array<std::pair<std::string_view, PeerTrust>, 4> kTrustWords{
    {{"Anonymous", PeerTrust::Anonymous},
     {"Untrusted", PeerTrust::Untrusted},
     {"Trusted", PeerTrust::Trusted},
     {"Verified", PeerTrust::Verified}}};

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}

// No syslog brackets a host; a tag's are then the first of a line, which program_of() relies on.
bool is_host_byte(char c) {
  return is_visible(c) && c != '[' && c != ']';
}

bool is_tag_byte(char c) {
  return is_visible(c) && c != '[' && c != ']' && c != ':';
}

// "TAG[PID]: ".
std::optional<LogProcess> take_process(Scan& scan) {
  const auto tag = scan.take_run(is_tag_byte, kLongestLogTag);
  if (!tag || !scan.skip("[")) return std::nullopt;
  const auto digits = scan.take_run(base::is_digit, kLongestPid);
  const auto pid = digits ? base::parse_number<std::uint32_t>(*digits) : std::nullopt;
  if (!pid || !scan.skip("]: ")) return std::nullopt;
  // Without '/' rfind() is npos, and npos + 1 is the start.
  return LogProcess{*tag, tag->substr(tag->rfind('/') + 1), *pid};
}

std::optional<TlsSession> parse_session(Scan scan) {
  for (const auto& [word, trust] : kTrustWords) {
    if (!scan.skip(word)) continue;
    TlsSession session;
    session.trust = trust;
    if (!scan.skip(" TLS connection ")) return std::nullopt;
    session.is_reused = scan.skip("reused to ");
    if (!session.is_reused && !scan.skip("established to ")) return std::nullopt;
    const auto peer = take_log_peer(scan);
    if (!peer || !scan.skip(": ")) return std::nullopt;
    session.peer = *peer;
    // The tail differs between versions and is free text [F 3.5.2].
    if (const auto protocol = scan.take_until(" with cipher ", kLongestProtocol)) {
      session.protocol = *protocol;
    }
    return session;
  }
  return std::nullopt;
}

Cause cause_of_errno(std::string_view text) {
  if (text == "lost connection" || text == "Connection reset by peer" || text == "Broken pipe") {
    return Cause::HangUp;
  }
  return text == "Connection timed out" ? Cause::Timeout : Cause::HandshakeFailure;
}

std::optional<HandshakeError> parse_handshake_error(Scan scan) {
  if (scan.skip("TLS handshake failed for service=")) {
    // tlsproxy(8): the service may hold anything but a blank [F 3.4.1].
    if (!scan.take_until(" peer=[", kLongestNextHop)) return std::nullopt;
    const auto address = scan.take_until("]:", kLongestPeerAddress);
    const auto port = address ? scan.take_run(base::is_digit, kLongestPeerPort) : std::nullopt;
    if (!port || !scan.at_end()) return std::nullopt;
    return HandshakeError{Cause::HandshakeFailure, {{}, *address, *port}};
  }
  if (!scan.skip("SSL_connect error to ")) return std::nullopt;
  const auto peer = take_log_peer(scan);
  if (!peer || !scan.skip(": ")) return std::nullopt;
  return HandshakeError{cause_of_errno(scan.rest()), *peer};
}

// X509_V_ERR_* of OpenSSL's x509_vfy.h: numbers that have not changed since 1.1.0.
Cause cause_of_verify_number(std::string_view digits) {
  constexpr std::array<std::string_view, 7> kNotTrusted{
      "18", "19",              // self-signed, alone or in the chain
      "2",  "20", "21", "27",  // no issuer, no chain, not trusted
      "65"};                   // no matching TLSA record: Postfix reports 203 [O 7]
  if (digits == "10") return Cause::CertificateExpired;
  if (digits == "62") return Cause::CertificateHostMismatch;
  for (const auto each : kNotTrusted) {
    if (digits == each) return Cause::CertificateNotTrusted;
  }
  return Cause::ValidationFailure;
}

// "sts-policy-invalid", in the log with '_' too.
std::optional<Cause> parse_type(std::string_view type) {
  std::string word(type);
  for (char& c : word) {
    if (c == '_') c = '-';
  }
  return model::parse_cause(word);
}

Cause cause_of_verdict(std::string_view text) {
  constexpr std::size_t kLongestNumber = 5;
  constexpr std::size_t kLongestType = 40;
  Scan scan(text);
  if (scan.skip("untrusted issuer "))
    return Cause::CertificateNotTrusted;  // the rest is the peer's
  if (text == "self-signed certificate" || text == "not trusted by local or TLSA policy") {
    return Cause::CertificateNotTrusted;
  }
  if (text == "certificate has expired") return Cause::CertificateExpired;
  if (scan.skip("num=")) {
    const auto digits = scan.take_run(base::is_digit, kLongestNumber);
    return digits && scan.skip(":") ? cause_of_verify_number(*digits) : Cause::ValidationFailure;
  }
  if (scan.skip("external policy failure (")) {
    const auto type = scan.take_until(")", kLongestType);
    return (type ? parse_type(*type) : std::nullopt).value_or(Cause::ValidationFailure);
  }
  return Cause::ValidationFailure;
}

std::optional<CertificateError> parse_certificate_error(Scan scan) {
  scan.skip("server ");
  if (!scan.skip("certificate verification failed for ")) return std::nullopt;
  const auto peer = take_log_peer(scan);
  if (!peer || !scan.skip(": ")) return std::nullopt;
  return CertificateError{cause_of_verdict(scan.rest()), *peer};
}

std::optional<StarttlsOffered> parse_offer(Scan scan) {
  if (!scan.skip("Host offered STARTTLS: [")) return std::nullopt;
  const auto host = scan.take_until("]", kLongestPeerHost);
  if (!host || host->empty() || !scan.at_end()) return std::nullopt;
  return StarttlsOffered{*host};
}

bool is_domain_byte(char c) {
  return base::is_alnum(c) || c == '.' || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) > 127;
}

std::optional<TlsReport> parse_report(Scan scan) {
  TlsReport report;
  if (!scan.skip("TLSRPT: status=")) return std::nullopt;
  report.is_success = scan.skip("success, domain=");
  if (!report.is_success && !scan.skip("failure, domain=")) return std::nullopt;
  const auto domain = scan.take_run(is_domain_byte, kLongestPeerHost);
  if (!domain || !scan.skip(", receiving_mx=") || !take_log_peer(scan)) return std::nullopt;
  report.domain = *domain;
  if (scan.skip(", failure_type=")) {
    const auto type = scan.take_run([](char c) { return base::is_alnum(c) || c == '_'; }, 40);
    // A word that the line was cut in must not be read as a shorter one: none is another's start.
    if (type) report.cause = parse_type(*type);
  }
  return report;
}

std::optional<PolicyTrouble> parse_policy_trouble(Scan scan) {
  if (!scan.skip("warning: TLS policy lookup for ")) return std::nullopt;
  const auto both = scan.take_until(": ", kLongestNextHop + kLongestPeerHost);
  const auto slash = both ? both->rfind('/') : std::string_view::npos;
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const auto cause = parse_status_text(scan.rest()).cause;
  if (!cause) return std::nullopt;
  return PolicyTrouble{both->substr(0, slash), *cause};
}

template <class Parsed>
bool put(LogFact& fact, const std::optional<Parsed>& parsed) {
  if (parsed) fact = *parsed;
  return parsed.has_value();
}

void parse_client_message(LogFact& fact, std::string_view message) {
  const Scan scan(message);
  put(fact, parse_session(scan)) || put(fact, parse_handshake_error(scan)) ||
      put(fact, parse_certificate_error(scan)) || put(fact, parse_offer(scan)) ||
      put(fact, parse_report(scan)) || put(fact, parse_policy_trouble(scan)) ||
      parse_queue_message(fact, scan);
}

}  // namespace

LogFact parse_log_message(const LogProcess& process, std::string_view message) {
  LogFact fact;
  if (process.name == "smtp" || process.name == "lmtp") {
    parse_client_message(fact, message);
  } else if (process.name == "tlsproxy") {
    const Scan scan(message);
    put(fact, parse_session(scan)) || put(fact, parse_handshake_error(scan)) ||
        put(fact, parse_certificate_error(scan));
  } else if (process.name == "error" || process.name == "retry") {
    parse_queue_message(fact, Scan(message));
  } else if (process.name == "master") {
    if (message.starts_with("daemon started -- version ") ||
        message.starts_with("reload -- version ")) {
      fact = ServiceStarted{};
    }
  }
  return fact;
}

std::optional<LogLine> parse_log_line(std::string_view line) {
  if (line.size() > kLongestLogLine) return std::nullopt;
  if (line.ends_with('\r')) line.remove_suffix(1);
  Scan scan(line);
  LogLine parsed;
  const auto stamp = take_log_stamp(scan);
  if (!stamp) return std::nullopt;
  const auto host = scan.take_run(is_host_byte, kLongestLogHost);
  if (!host || !scan.skip(" ")) return std::nullopt;
  const auto process = take_process(scan);
  if (!process) return std::nullopt;
  parsed.stamp = *stamp;
  parsed.host = *host;
  parsed.process = *process;
  parsed.fact = parse_log_message(*process, scan.rest());
  return parsed;
}

std::string_view program_of(std::string_view line) {
  const auto end = line.find("]: ");
  if (end == std::string_view::npos) return {};
  const auto pid = line.rfind('[', end);
  if (pid == std::string_view::npos || pid == 0) return {};
  const auto start = line.find_last_of("/ ", pid - 1) + 1;  // npos + 1 is the start
  return line.substr(start, pid - start);
}

}  // namespace wire
