// The conversations of a probe that end with the answer to a hello of wire/tls_hello.h.
#include <fmt/format.h>

#include <utility>

#include "src/jobs/probe_dialogue.h"
#include "src/wire/tls_hello.h"

namespace jobs {

using Answer = model::WeakTrial::Answer;
using Kind = model::ProbeStep::Kind;

model::WeakTrial* ProbeDialogue::trial() const {
  switch (purpose_) {
    case Purpose::OldProtocols:
      return &record_.old_protocols;
    case Purpose::BrokenCiphers:
      return &record_.broken_ciphers;
    case Purpose::Tls:
    case Purpose::Certificate:
    case Purpose::RefusesPlaintext:
      break;
  }
  return nullptr;
}

ProbeDialogue::Move ProbeDialogue::offer_weakness(base::SteadyPoint now) {
  stage_ = Stage::Handshake;
  step_began_ = now;
  is_our_turn_ = false;
  Move move = listen();
  move.send = wire::make_client_hello(offer());
  return move;
}

ProbeDialogue::Move ProbeDialogue::on_weak_answer(model::WeakTrial& trial, std::string_view bytes,
                                                  base::SteadyPoint now) {
  // Decided before it is full.
  tls_answer_ += bytes.substr(0, wire::kLongestTlsAnswer - tls_answer_.size());
  const auto answer = wire::parse_tls_answer(offer(), tls_answer_);
  if (std::holds_alternative<wire::NeedMore>(answer)) return listen();
  if (const auto* bad = std::get_if<wire::Malformed>(&answer)) {
    return end_trial(trial, Answer::Unclear, std::string(bad->why), now);
  }
  if (const auto* refusal = std::get_if<wire::TlsRefusal>(&answer)) {
    return end_trial(trial, Answer::Refused, wire::alert_word(refusal->alert), now);
  }
  const auto& choice = std::get<wire::TlsChoice>(answer);
  trial.protocol = choice.protocol;
  trial.cipher = choice.cipher;
  return end_trial(trial, Answer::Taken, fmt::format("{} with {}", choice.protocol, choice.cipher),
                   now);
}

ProbeDialogue::Move ProbeDialogue::end_trial(model::WeakTrial& trial, Answer answer,
                                             std::string text, base::SteadyPoint now) {
  note(Kind::Note, fmt::format("{}: {}", model::to_word(answer), text), now);
  trial.answer = answer;
  trial.text = std::move(text);
  return stop(now);
}

wire::TlsOffer ProbeDialogue::offer() const {
  return purpose_ == Purpose::OldProtocols ? wire::TlsOffer::OldProtocols
                                           : wire::TlsOffer::BrokenCiphers;
}

}  // namespace jobs
