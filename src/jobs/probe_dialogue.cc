#include "src/jobs/probe_dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/jobs/probe_notes.h"

namespace jobs {
namespace {

using model::Cause;
using Kind = model::ProbeStep::Kind;
using std::chrono::milliseconds;

constexpr int kServiceNotAvailable = 421;
constexpr int kStarttlsFirst = 530;  // RFC 3207 4

bool is_positive(const wire::SmtpReply& reply) {
  return reply.code / 100 == 2;
}
bool is_permanent(const wire::SmtpReply& reply) {
  return reply.code / 100 == 5;
}

std::string text_of(const wire::SmtpReply& reply) {
  std::string text;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    const bool is_last = i + 1 == reply.lines.size();
    text += fmt::format("{}{}{}{}", reply.code, is_last ? ' ' : '-', reply.lines[i],
                        is_last ? "" : "\n");
  }
  return text;
}

bool is_about(const wire::SmtpReply& reply, std::string_view word) {
  const auto text = base::to_lower(text_of(reply));
  return text.find(word) != std::string::npos;
}

// RFC 3207 4 has 530; what else refuses for want of TLS has to say so, as 530 also stands for want
// of AUTH (RFC 4954 6).
bool is_refused_for_tls(const wire::SmtpReply& reply) {
  if (!is_permanent(reply)) return false;
  if (is_about(reply, "tls") || is_about(reply, "encrypt")) return true;
  return reply.code == kStarttlsFirst && !is_about(reply, "auth");
}

std::string said(const wire::SmtpReply& reply) {
  return fmt::format("{} {}", reply.code, reply.lines.front());
}

// RFC 5321 4.1.3, for a client without a name (4.1.4).
std::string literal_of(std::string_view address) {
  const bool is_six = address.find(':') != std::string_view::npos;
  return fmt::format("[{}{}]", is_six ? "IPv6:" : "", address);
}

std::string_view greeting_of(ProbeDialogue::Purpose purpose) {
  switch (purpose) {
    case ProbeDialogue::Purpose::Tls:
      return "connected";
    case ProbeDialogue::Purpose::Certificate:
      return "connected again, without an offer to do without a certificate";
    case ProbeDialogue::Purpose::RefusesPlaintext:
      return "connected again, to see whether mail needs TLS";
    case ProbeDialogue::Purpose::OldProtocols:
      return "connected again, to offer TLS 1.1 and older";
    case ProbeDialogue::Purpose::BrokenCiphers:
      return "connected again, to offer broken ciphers alone";
  }
  return {};
}

std::string seconds(milliseconds span) {
  return fmt::format("{:.3g} s", static_cast<double>(span.count()) / 1000.0);
}

}  // namespace

ProbeDialogue::ProbeDialogue(Purpose purpose, Settings settings, model::ProbedAddress& record,
                             base::SteadyPoint now, base::SteadyPoint origin)
    : purpose_(purpose),
      settings_(std::move(settings)),
      record_(record),
      began_(now),
      origin_(origin),
      step_began_(now) {}

ProbeDialogue::Move ProbeDialogue::first_move() const {
  return {{}, Move::Next::Listen, began_ + std::min(settings_.step, settings_.total)};
}

ProbeDialogue::Move ProbeDialogue::listen() const {
  const auto patience = is_over() ? settings_.goodbye : settings_.step;
  return {{}, Move::Next::Listen, std::min(step_began_ + patience, began_ + settings_.total)};
}

ProbeDialogue::Move ProbeDialogue::on_connected(std::string_view our_address,
                                                base::SteadyPoint now) {
  if (settings_.ehlo_name.empty()) settings_.ehlo_name = literal_of(our_address);
  note(Kind::Note, std::string(greeting_of(purpose_)), now);
  stage_ = Stage::Banner;
  step_began_ = now;
  return listen();
}

ProbeDialogue::Move ProbeDialogue::on_connect_failed(std::string_view why, base::SteadyPoint now) {
  return give_up(fmt::format("no connection: {}", why), now);
}

ProbeDialogue::Move ProbeDialogue::on_bytes(std::string_view bytes, base::SteadyPoint now) {
  if (auto* tried = trial(); tried != nullptr && stage_ == Stage::Handshake) {
    return on_weak_answer(*tried, bytes, now);
  }
  bytes.remove_prefix(reader_.feed(bytes));
  if (reader_.fault()) {
    return give_up(fmt::format("the reply {}", wire::to_words(*reader_.fault())), now);
  }
  if (!reader_.is_complete()) return listen();
  const auto reply = reader_.take();
  note(Kind::Received, text_of(reply), now);
  if (reply.has_bare_lf) note(Kind::Note, "a line of it ends in a bare line feed", now);
  return on_reply(reply, bytes.empty(), now);
}

ProbeDialogue::Move ProbeDialogue::on_reply(const wire::SmtpReply& reply, bool is_alone,
                                            base::SteadyPoint now) {
  if (stage_ == Stage::Starttls) return after_starttls(reply, is_alone, now);
  if (!is_alone && !is_over()) return give_up("it sends replies that nobody asked for", now);
  switch (stage_) {
    case Stage::Banner:
      return after_banner(reply, now);
    case Stage::Ehlo:
      return after_hello(reply, now);
    case Stage::EhloInTls:
      return after_hello_in_tls(reply, now);
    case Stage::MailFrom:
      return after_mail_from(reply, now);
    case Stage::Connect:
    case Stage::Starttls:
    case Stage::Handshake:
    case Stage::Quit:
      break;
  }
  return hang_up();
}

ProbeDialogue::Move ProbeDialogue::after_banner(const wire::SmtpReply& reply,
                                                base::SteadyPoint now) {
  if (purpose_ == Purpose::Tls) record_.banner = reply.lines.front();
  if (!is_positive(reply)) return give_up("it greets with " + said(reply), now);
  return send(Stage::Ehlo, "EHLO " + settings_.ehlo_name, now);
}

ProbeDialogue::Move ProbeDialogue::after_hello(const wire::SmtpReply& reply,
                                               base::SteadyPoint now) {
  if (!is_positive(reply)) {
    // RFC 5321 3.2: a server that doesn't know EHLO is asked with HELO, as smtp(8) does it.
    if (!is_permanent(reply) || std::exchange(said_helo_, true)) {
      return give_up("it answers our greeting with " + said(reply), now);
    }
    return send(Stage::Ehlo, "HELO " + settings_.ehlo_name, now);
  }
  if (purpose_ == Purpose::RefusesPlaintext) {
    return send(Stage::MailFrom, fmt::format("MAIL FROM:<{}>", settings_.mail_from), now);
  }
  const auto offers = said_helo_ ? wire::Capabilities{} : wire::parse_capabilities(reply);
  if (purpose_ != Purpose::Tls) {
    return offers.has_starttls ? send(Stage::Starttls, "STARTTLS", now)
                               : give_up("STARTTLS is not offered any more", now);
  }
  record_.has_spoken = true;
  record_.capabilities = offers.lines;
  record_.is_crossed_out = offers.is_crossed_out;
  record_.was_offered = offers.has_starttls;
  if (offers.has_starttls) return send(Stage::Starttls, "STARTTLS", now);
  return fail(Cause::StarttlsNotSupported,
              offers.is_crossed_out
                  ? "STARTTLS is not offered, and a capability came back as X's: a device on the "
                    "path, perhaps our own firewall, strips it"
                  : "STARTTLS is not offered",
              now);
}

ProbeDialogue::Move ProbeDialogue::after_starttls(const wire::SmtpReply& reply, bool is_alone,
                                                  base::SteadyPoint now) {
  if (purpose_ == Purpose::Tls) record_.starttls_code = reply.code;
  if (reply.code == kServiceNotAvailable || (purpose_ != Purpose::Tls && !is_positive(reply))) {
    return give_up("it answers STARTTLS with " + said(reply), now);
  }
  if (!is_positive(reply)) {
    return fail(Cause::StarttlsRefused, "it offers STARTTLS, and answers it with " + said(reply),
                now);
  }
  if (!is_alone) {
    return fail(Cause::PlaintextAfter220,
                "more than the reply to STARTTLS came in clear: somebody injects into the "
                "conversation, and a client could take it for part of the TLS session",
                now);
  }
  if (trial() != nullptr) return offer_weakness(now);
  stage_ = Stage::Handshake;
  step_began_ = now;
  is_our_turn_ = false;
  Move move = listen();
  move.next = Move::Next::StartTls;
  return move;
}

ProbeDialogue::Move ProbeDialogue::on_tls(model::SeenTls tls, base::SteadyPoint now) {
  for (auto& text : notes_of(tls)) note(Kind::Note, std::move(text), now);
  if (purpose_ == Purpose::Certificate) {
    if (!tls.chain.empty()) record_.tls = std::move(tls);
    return say_goodbye(now);
  }
  record_.tls = std::move(tls);
  return send(Stage::EhloInTls, "EHLO " + settings_.ehlo_name, now);
}

ProbeDialogue::Move ProbeDialogue::on_tls_failed(std::string_view why, base::SteadyPoint now) {
  return fail(Cause::HandshakeFailure, fmt::format("TLS fails: {}", why), now);
}

ProbeDialogue::Move ProbeDialogue::on_tls_refused(std::string_view why, base::SteadyPoint now) {
  return give_up(fmt::format("TLS is left: {}", why), now);
}

ProbeDialogue::Move ProbeDialogue::after_hello_in_tls(const wire::SmtpReply& reply,
                                                      base::SteadyPoint now) {
  if (!is_positive(reply)) return give_up("in TLS it answers EHLO with " + said(reply), now);
  record_.capabilities_in_tls = wire::parse_capabilities(reply).lines;
  record_.outcome = {model::Security::Encrypted, std::nullopt};
  return say_goodbye(now);
}

ProbeDialogue::Move ProbeDialogue::after_mail_from(const wire::SmtpReply& reply,
                                                   base::SteadyPoint now) {
  if (is_reset_due_) return say_goodbye(now);
  record_.plain_mail_reply = said(reply);
  record_.plain_mail = is_positive(reply)          ? model::PlainMail::Accepted
                       : is_refused_for_tls(reply) ? model::PlainMail::Refused
                                                   : model::PlainMail::Unclear;
  if (!is_positive(reply)) return say_goodbye(now);
  is_reset_due_ = true;
  return send(Stage::MailFrom, "RSET", now);
}

ProbeDialogue::Move ProbeDialogue::on_end(End end, base::SteadyPoint now) {
  if (is_over()) return hang_up();
  const auto how =
      end == End::Reset ? "it resets the connection" : "it closes the connection without a word";
  if (auto* tried = trial(); tried != nullptr && stage_ == Stage::Handshake) {
    return end_trial(*tried, model::WeakTrial::Answer::Refused, how, now);
  }
  if (stage_ == Stage::Starttls) {
    return fail(Cause::HangUp, fmt::format("{} instead of answering STARTTLS", how), now);
  }
  if (stage_ == Stage::Handshake) {
    return fail(Cause::HangUp, fmt::format("{} in the TLS handshake", how), now);
  }
  if (stage_ == Stage::EhloInTls) {
    return fail(Cause::HangUp, fmt::format("{} once TLS is established", how), now);
  }
  return give_up(how, now);
}

ProbeDialogue::Move ProbeDialogue::on_deadline(base::SteadyPoint now) {
  if (is_over()) return hang_up();
  const auto waited = seconds(std::chrono::duration_cast<milliseconds>(
      now >= began_ + settings_.total ? settings_.total : settings_.step));
  if (stage_ == Stage::Connect) {
    return give_up(fmt::format("no connection within {}", waited), now);
  }
  // Whoever is in the middle of a reply is slow, not silent.
  if (reader_.is_inside()) {
    return give_up(fmt::format("its answer was not complete within {}", waited), now);
  }
  if (stage_ == Stage::Starttls) {
    return fail(Cause::Timeout, fmt::format("no answer to STARTTLS within {}", waited), now);
  }
  if (stage_ == Stage::Handshake) {
    return fail(Cause::Timeout, fmt::format("the TLS handshake came to no end within {}", waited),
                now);
  }
  if (stage_ == Stage::EhloInTls) {
    return fail(Cause::Timeout, fmt::format("no answer in TLS within {}", waited), now);
  }
  return give_up(fmt::format("no answer within {}", waited), now);
}

ProbeDialogue::Move ProbeDialogue::send(Stage stage, std::string line, base::SteadyPoint now) {
  stage_ = stage;
  step_began_ = now;
  note(Kind::Sent, line, now);
  Move move = listen();
  move.send = std::move(line) + "\r\n";
  return move;
}

ProbeDialogue::Move ProbeDialogue::say_goodbye(base::SteadyPoint now) {
  return send(Stage::Quit, "QUIT", now);
}

ProbeDialogue::Move ProbeDialogue::give_up(std::string why, base::SteadyPoint now) {
  if (auto* tried = trial()) {
    return end_trial(*tried, model::WeakTrial::Answer::Unclear, std::move(why), now);
  }
  note(Kind::Note, why, now);
  if (purpose_ == Purpose::RefusesPlaintext) {
    record_.plain_mail = model::PlainMail::Unclear;
    record_.plain_mail_reply = std::move(why);
  } else if (purpose_ == Purpose::Tls) {
    record_.trouble = std::move(why);
  }
  return stop(now);
}

ProbeDialogue::Move ProbeDialogue::fail(Cause cause, std::string why, base::SteadyPoint now) {
  if (purpose_ != Purpose::Tls) return give_up(std::move(why), now);
  note(Kind::Note, why, now);
  record_.trouble = std::move(why);
  record_.outcome = {model::Security::Unknown, cause};
  return stop(now);
}

// A peer that waits for our next command is taken leave of; any other is left.
ProbeDialogue::Move ProbeDialogue::stop(base::SteadyPoint now) {
  const bool is_injected = record_.outcome.cause == Cause::PlaintextAfter220;
  return is_our_turn_ && !reader_.fault() && !is_injected ? say_goodbye(now) : hang_up();
}

void ProbeDialogue::note(Kind kind, std::string text, base::SteadyPoint now) {
  if (kind != Kind::Note) is_our_turn_ = kind == Kind::Received;
  record_.steps.push_back(
      {std::chrono::duration_cast<milliseconds>(now - origin_), stage_, kind, std::move(text)});
}

}  // namespace jobs
