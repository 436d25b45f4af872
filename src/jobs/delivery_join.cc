#include "src/jobs/delivery_join.h"

namespace jobs {
namespace {

using model::Cause;
using model::Security;

std::string text_of(const wire::LogPeer& peer) {
  std::string text(peer.host);
  text += '[';
  text += peer.address;
  text += "]:";
  text += peer.port;
  return text;
}

// The queue id with the first two of "a/b/c/d": time before and in the queue manager, which are
// the same for all recipients of one request and differ between two requests [F 3.2.2].
std::string batch_of(const wire::DeliveryStatus& status) {
  std::string batch(status.queue_id);
  batch += ' ';
  const auto first = status.delays.find('/');
  batch += status.delays.substr(0, status.delays.find('/', first + 1));
  return batch;
}

// A delivery's status text says that the certificate did not pass; the connection stood.
bool is_certificate_fault(Cause cause) {
  return cause == Cause::ValidationFailure || cause == Cause::CertificateNotTrusted;
}

Security security_of(wire::PeerTrust trust) {
  return trust == wire::PeerTrust::Verified ? Security::Authenticated : Security::Encrypted;
}

}  // namespace

DeliveryJoin::Request& DeliveryJoin::request_of(const wire::LogLine& line) {
  std::string name(line.host);
  name += ' ';
  name += std::to_string(line.process.pid);
  if (const auto known = requests_.find(name); known != requests_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
    return recent_.front().second;
  }
  if (requests_.size() >= most_ && !recent_.empty()) {
    requests_.erase(recent_.back().first);
    recent_.pop_back();
  }
  recent_.emplace_front(std::move(name), Request());
  requests_.emplace(recent_.front().first, recent_.begin());
  return recent_.front().second;
}

void DeliveryJoin::note_server_failed(Request& request, const wire::ServerFailed& failed) {
  if (!request.queue_id.empty() && request.queue_id != failed.queue_id) request.is_muddled = true;
  request.queue_id = failed.queue_id;
  if (failed.is_connection_lost && !request.session_peer.empty()) {
    // The session is gone; a delivery to the same server from here on is Postfix's retry in clear.
    request.failed_peer = std::exchange(request.session_peer, {});
    request.failed_cause = Cause::HangUp;
    request.is_server_given_up = true;
  } else if (failed.cause && model::is_tls_missing(*failed.cause)) {
    request.is_server_given_up = true;
  }
}

void DeliveryJoin::note(Request& request, const wire::LogFact& fact) {
  if (request.is_over) request = Request();
  if (const auto* session = std::get_if<wire::TlsSession>(&fact)) {
    request.session_peer = text_of(session->peer);
    request.session_trust = session->trust;
  } else if (const auto* error = std::get_if<wire::HandshakeError>(&fact)) {
    request.failed_peer = text_of(error->peer);
    request.failed_cause = error->cause;
    request.is_server_given_up = false;
  } else if (const auto* doubt = std::get_if<wire::CertificateError>(&fact)) {
    request.doubted_peer = text_of(doubt->peer);
    request.doubted_cause = doubt->cause;
  } else if (const auto* failed = std::get_if<wire::ServerFailed>(&fact)) {
    note_server_failed(request, *failed);
  } else if (const auto* report = std::get_if<wire::TlsReport>(&fact)) {
    request.next_hop = report->domain;
  }
}

void DeliveryJoin::open_batch(Request& request, const wire::DeliveryStatus& status) {
  std::string batch = batch_of(status);
  if (request.is_over && request.batch != batch) request = Request();
  if (!request.queue_id.empty() && request.queue_id != status.queue_id) request.is_muddled = true;
  request.queue_id = status.queue_id;
  request.batch = std::move(batch);
  request.is_over = true;
}

// How the mail, or the try, travelled.
void DeliveryJoin::conclude_security(const Request& request, const std::string& relay,
                                     Delivery& delivery) {
  const wire::DeliveryStatus& status = *delivery.status;
  const bool has_session = !relay.empty() && request.session_peer == relay;
  const bool has_failed = !relay.empty() && request.failed_peer == relay;
  const bool is_sent = status.word == wire::DeliveryWord::Sent;
  Security& security = delivery.outcome.security;
  if (status.tls) {
    security = wire::security_of(*status.tls);
  } else if (request.is_muddled) {
    security = Security::Unknown;
  } else if (has_session) {
    security = security_of(request.session_trust);
  } else if (is_sent && has_failed && request.is_server_given_up) {
    // Postfix asks each server once with TLS, and again only to go on in clear [F 3.2.1].
    security = Security::Clear;
  } else {
    delivery.is_silent = is_sent;
  }
  if (has_session && security != Security::Clear && !request.is_muddled) {
    delivery.trust = request.session_trust;
  }
}

// What TLS failed on, by the status line and by the lines about the same server before it.
void DeliveryJoin::conclude_cause(const Request& request, const std::string& relay,
                                  Delivery& delivery) {
  const wire::DeliveryStatus& status = *delivery.status;
  model::Outcome& outcome = delivery.outcome;
  if (status.word == wire::DeliveryWord::Sent) {
    const bool fell_back = request.is_server_given_up && !request.is_muddled;
    if (outcome.security == Security::Clear && fell_back) outcome.cause = Cause::Plaintext;
    return;
  }
  outcome.cause = status.meaning.cause;
  if (!outcome.cause) return;
  const bool is_joined = !relay.empty() && !request.is_muddled;
  delivery.is_unanswered = *outcome.cause == Cause::HangUp || *outcome.cause == Cause::Timeout;
  if (*outcome.cause == Cause::HandshakeFailure) {
    if (is_joined && request.failed_peer == relay) outcome.cause = request.failed_cause;
  } else if (is_certificate_fault(*outcome.cause)) {
    // Encrypted, identity not confirmed.
    outcome.security = Security::Encrypted;
    if (is_joined && request.doubted_peer == relay) outcome.cause = request.doubted_cause;
  }
}

Delivery DeliveryJoin::conclude(const Request& request, const wire::DeliveryStatus& status) {
  Delivery delivery;
  delivery.status = &status;
  delivery.is_next_hop = !request.next_hop.empty();
  delivery.destination =
      delivery.is_next_hop ? std::string_view(request.next_hop) : wire::domain_of(status);
  const std::string relay = status.relay ? text_of(*status.relay) : std::string();
  conclude_security(request, relay, delivery);
  conclude_cause(request, relay, delivery);
  return delivery;
}

std::optional<Delivery> DeliveryJoin::take(const wire::LogLine& line) {
  // tlsproxy(8) says a second time what smtp(8) says, with another pid [F 3.5.4]; error(8) and
  // retry(8) only say that nobody was asked.
  if (line.process.name != "smtp" && line.process.name != "lmtp") return std::nullopt;
  if (std::holds_alternative<wire::NothingSaid>(line.fact)) return std::nullopt;
  Request& request = request_of(line);
  const auto* status = std::get_if<wire::DeliveryStatus>(&line.fact);
  if (status == nullptr) {
    note(request, line.fact);
    return std::nullopt;
  }
  open_batch(request, *status);
  if (status->meaning.is_suspended) return std::nullopt;
  return conclude(request, *status);
}

}  // namespace jobs
