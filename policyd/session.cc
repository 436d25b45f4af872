#include "policyd/session.h"

#include "policyd/action.h"

namespace policyd {
namespace {

bool has_sender(ProtocolState state) {
  switch (state) {
    case ProtocolState::Mail:
    case ProtocolState::Rcpt:
    case ProtocolState::Data:
    case ProtocolState::EndOfMessage:
      return true;
    case ProtocolState::Unknown:
    case ProtocolState::Connect:
    case ProtocolState::Ehlo:
    case ProtocolState::Helo:
    case ProtocolState::Vrfy:
    case ProtocolState::Etrn:
      return false;
  }
  return false;
}

}  // namespace

model::MailFacts facts_of(const Request& request) {
  return {.has_sender = has_sender(request.state),
          .is_end_of_message = request.state == ProtocolState::EndOfMessage,
          .client_address = request.client_address,
          .client_name = request.client_name,
          .sender = request.sender,
          .recipient = request.recipient,
          .instance = request.instance,
          .queue_id = request.queue_id,
          .policy_context = request.policy_context,
          .sasl_username = request.sasl_username,
          .protocol = request.encryption_protocol,
          .bits = request.encryption_keysize,
          .ccert_subject = request.ccert_subject,
          .ccert_issuer = request.ccert_issuer,
          .ccert_fingerprint = request.ccert_fingerprint,
          .ccert_pubkey_fingerprint = request.ccert_pubkey_fingerprint};
}

net::Session::Step Session::receive(std::string_view in, std::string& out) {
  Step step;
  while (step.consumed < in.size() && out.size() < net::kMostUnreadReplies) {
    const auto parsed = parse_request(in.substr(step.consumed));
    if (std::holds_alternative<NeedMore>(parsed)) break;
    const auto* complete = std::get_if<Complete>(&parsed);
    if (complete == nullptr) {
      ++counters_.malformed;
      counters_.last_fault = std::get<Malformed>(parsed).why;
      step.hang_up = true;
      break;
    }
    ++counters_.answers;
    append_action(out, oracle_.ruling_for(facts_of(complete->request)));
    step.consumed += complete->consumed;
  }
  return step;
}

}  // namespace policyd
