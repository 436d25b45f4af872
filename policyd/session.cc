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
  model::MailFacts facts;
  facts.has_sender = has_sender(request.state);
  facts.is_end_of_message = request.state == ProtocolState::EndOfMessage;
  facts.client_address = request.client_address;
  facts.client_name = request.client_name;
  facts.sender = request.sender;
  facts.recipient = request.recipient;
  facts.instance = request.instance;
  facts.queue_id = request.queue_id;
  facts.policy_context = request.policy_context;
  facts.sasl_username = request.sasl_username;
  facts.protocol = request.encryption_protocol;
  facts.bits = request.encryption_keysize;
  facts.ccert_subject = request.ccert_subject;
  facts.ccert_issuer = request.ccert_issuer;
  facts.ccert_fingerprint = request.ccert_fingerprint;
  facts.ccert_pubkey_fingerprint = request.ccert_pubkey_fingerprint;
  return facts;
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
