#include "src/jobs/log_evidence.h"

namespace jobs {
namespace {

using model::Security;

std::string service_of(const wire::LogLine& line) {
  std::string name(line.host);
  name += ' ';
  name += line.process.tag;
  return name;
}

std::string peer_text(const wire::LogPeer& peer) {
  std::string text(peer.host);
  text += '[';
  text += peer.address;
  text += ']';
  return text;
}

// A content filter, a mailbox, a proxy: not on the way to the recipient's domain.
bool is_local(const wire::LogPeer& peer) {
  return peer.address.find('/') != std::string_view::npos || peer.address.starts_with("127.") ||
         peer.address == "::1";
}

}  // namespace

bool LogEvidence::shows_tls(const wire::LogLine& line) const {
  const auto found = services_.find(service_of(line));
  return found != services_.end() && found->second;
}

void LogEvidence::note_service(const wire::LogLine& line) {
  if (std::holds_alternative<wire::ServiceStarted>(line.fact)) {
    // Whatever smtp_tls_loglevel was, it may be another one now.
    for (auto& [name, shows] : services_) shows = false;
    return;
  }
  const auto* session = std::get_if<wire::TlsSession>(&line.fact);
  // A reused session is logged at every level, and tlsproxy(8) has a level of its own [F 3.5].
  if (session == nullptr || session->is_reused || line.process.name == "tlsproxy") return;
  auto name = service_of(line);
  if (services_.size() < kMostServices || services_.count(name) > 0) {
    services_[std::move(name)] = true;
  }
}

wire::ReportedEvidence LogEvidence::report(const wire::LogLine& line, const Delivery& delivery,
                                           base::sys_seconds at) const {
  const auto& status = *delivery.status;
  wire::ReportedEvidence reported;
  reported.seen_at = at.time_since_epoch().count();
  reported.pid = has_many_hosts_ ? 0 : line.process.pid;
  reported.is_next_hop = delivery.is_next_hop;
  reported.is_pid_needed = status.relay && is_local(*status.relay);
  reported.is_reused = status.conn_use > 1;
  reported.destination = delivery.destination;
  auto& evidence = reported.evidence;
  evidence.source = model::Source::Maillog;
  evidence.at = reported.seen_at;
  evidence.outcome = delivery.outcome;
  if (delivery.is_silent && shows_tls(line)) evidence.outcome.security = Security::Clear;
  const auto cause = evidence.outcome.cause;
  evidence.was_offered = evidence.outcome.security == Security::Encrypted ||
                         evidence.outcome.security == Security::Authenticated ||
                         (cause && model::is_starttls_offered(*cause));
  if (status.relay) evidence.mx = peer_text(*status.relay);
  evidence.text = "mail log, queue id ";
  evidence.text += status.queue_id;
  return reported;
}

std::optional<wire::ReportedEvidence> LogEvidence::take(const wire::LogLine& line,
                                                        base::sys_seconds at) {
  note_service(line);
  if (line.process.name == "smtp" && !has_many_hosts_) {
    if (only_host_.empty()) only_host_ = line.host;
    has_many_hosts_ = only_host_ != line.host;
  }
  // Policies are for smtp(8); lmtp(8) asks for none of ours.
  if (line.process.name != "smtp") return std::nullopt;
  const auto delivery = join_.take(line);
  if (!delivery) return std::nullopt;
  const auto word = delivery->status->word;
  const bool is_probe =
      word == wire::DeliveryWord::Deliverable || word == wire::DeliveryWord::Undeliverable;
  const bool says_nothing =
      delivery->outcome.security == Security::Unknown && !delivery->outcome.cause;
  // Mail that arrived nobody knows how is counted; a connection that never came about is not.
  if (says_nothing && (is_probe || word != wire::DeliveryWord::Sent)) return std::nullopt;
  return report(line, *delivery, at);
}

}  // namespace jobs
