// The conversation of a probe with one address, without I/O: what happened goes in, what to do next
// comes out, and the record of it grows. It knows neither sockets nor a TLS library.
//
//   banner, EHLO, STARTTLS, [the shell starts TLS], EHLO, QUIT                  Purpose::Tls
//   banner, EHLO, STARTTLS, [TLS without anonymous ciphers], QUIT      Purpose::Certificate
//   banner, EHLO, MAIL FROM without TLS, RSET, QUIT                      Purpose::RefusesPlaintext
//   banner, EHLO, STARTTLS, a hello of wire/tls_hello.h, its answer     Purpose::OldProtocols
//                                                                        or BrokenCiphers
//
// Never AUTH, never RCPT, never DATA. What the peer offered before TLS is forgotten in it (RFC 3207
// 4.2). After the 220 to STARTTLS nothing may have come with it: whoever injects a reply there has
// no TLS, and is told no more (CVE-2011-0411, [R 2]). A peer that answers 421, or 4xx to anything
// but STARTTLS, or too slowly, or not by the rules, is "unknown", never one without TLS.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/model/probed_address.h"
#include "src/wire/smtp_reply.h"
#include "src/wire/tls_hello.h"

namespace jobs {

class ProbeDialogue {
 public:
  enum class Purpose : std::uint8_t {
    Tls,
    Certificate,
    RefusesPlaintext,
    OldProtocols,
    BrokenCiphers
  };
  struct Settings {
    std::string ehlo_name;                     // empty: the address we come from
    std::string mail_from;                     // empty: <>
    std::chrono::milliseconds step{20'000};    // for each answer of the peer
    std::chrono::milliseconds total{30'000};   // for all of it [R 2]
    std::chrono::milliseconds goodbye{2'000};  // for the answer to QUIT: it changes nothing
  };
  // What the shell has to do now. `send` first; then wait for what comes until `deadline`, or hand
  // the connection to TLS, or close it.
  struct Move {
    enum class Next : std::uint8_t { Listen, StartTls, HangUp };
    std::string send;
    Next next = Next::Listen;
    base::SteadyPoint deadline;
  };
  enum class End : std::uint8_t { Closed, Reset };

  // Adds to `record`, which outlives the dialogue. The deadlines count from `now`, the steps from
  // `origin`: a second conversation with the same address goes on where the first one ended.
  ProbeDialogue(Purpose purpose, Settings settings, model::ProbedAddress& record,
                base::SteadyPoint now, base::SteadyPoint origin);

  // At the beginning: connect until the deadline.
  [[nodiscard]] Move first_move() const;
  // `our_address`: the one that we come from, as text.
  Move on_connected(std::string_view our_address, base::SteadyPoint now);
  Move on_connect_failed(std::string_view why, base::SteadyPoint now);
  Move on_bytes(std::string_view bytes, base::SteadyPoint now);
  // The handshake that a Move asked for.
  Move on_tls(model::SeenTls tls, base::SteadyPoint now);
  Move on_tls_failed(std::string_view why, base::SteadyPoint now);
  // It was we who would not go on, for a limit of ours.
  Move on_tls_refused(std::string_view why, base::SteadyPoint now);
  // The peer is gone, in the handshake or anywhere else.
  Move on_end(End end, base::SteadyPoint now);
  Move on_deadline(base::SteadyPoint now);

 private:
  using Stage = model::ProbeStage;

  Move on_reply(const wire::SmtpReply& reply, bool is_alone, base::SteadyPoint now);
  Move after_banner(const wire::SmtpReply& reply, base::SteadyPoint now);
  Move after_hello(const wire::SmtpReply& reply, base::SteadyPoint now);
  Move after_starttls(const wire::SmtpReply& reply, bool is_alone, base::SteadyPoint now);
  Move after_hello_in_tls(const wire::SmtpReply& reply, base::SteadyPoint now);
  Move after_mail_from(const wire::SmtpReply& reply, base::SteadyPoint now);

  // The trial that this conversation is, or nothing.
  [[nodiscard]] model::WeakTrial* trial() const;
  [[nodiscard]] wire::TlsOffer offer() const;
  Move offer_weakness(base::SteadyPoint now);
  Move on_weak_answer(model::WeakTrial& trial, std::string_view bytes, base::SteadyPoint now);
  Move end_trial(model::WeakTrial& trial, model::WeakTrial::Answer answer, std::string text,
                 base::SteadyPoint now);

  Move send(Stage stage, std::string line, base::SteadyPoint now);
  Move say_goodbye(base::SteadyPoint now);
  [[nodiscard]] Move listen() const;
  [[nodiscard]] static Move hang_up() { return {{}, Move::Next::HangUp, {}}; }
  // The end of a conversation that shows nothing of the peer's TLS.
  Move give_up(std::string why, base::SteadyPoint now);
  // TLS was to be had and did not come to work.
  Move fail(model::Cause cause, std::string why, base::SteadyPoint now);
  Move stop(base::SteadyPoint now);
  void note(model::ProbeStep::Kind kind, std::string text, base::SteadyPoint now);
  [[nodiscard]] bool is_over() const { return stage_ == Stage::Quit; }

  Purpose purpose_;
  Settings settings_;
  model::ProbedAddress& record_;
  base::SteadyPoint began_;
  base::SteadyPoint origin_;
  base::SteadyPoint step_began_;
  Stage stage_ = Stage::Connect;
  bool said_helo_ = false;
  bool is_reset_due_ = false;
  bool is_our_turn_ = false;  // the last thing said was the peer's
  wire::ReplyReader reader_;
  std::string tls_answer_;  // to a hello of a trial
};

}  // namespace jobs
