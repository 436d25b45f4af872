// The conversations of a probe that offer weak TLS alone, without a socket.
#include "src/jobs/probe_dialogue.h"
#include "tests/unit/catch.h"

using jobs::ProbeDialogue;
using Answer = model::WeakTrial::Answer;
using Next = ProbeDialogue::Move::Next;
using Purpose = ProbeDialogue::Purpose;

namespace {

const std::string kRefusal("\x15\x03\x01\x00\x02\x02\x46", 7);

class Rig {
 public:
  explicit Rig(Purpose purpose)
      : dialogue(purpose, {.ehlo_name = "us.example", .mail_from = ""}, record, now, now) {
    move = dialogue.on_connected("192.0.2.9", now);
  }
  void hear(std::string_view bytes) { move = dialogue.on_bytes(bytes, now); }
  void reach_starttls() {
    hear("220 mx.example ESMTP\r\n");
    hear("250-mx.example\r\n250 STARTTLS\r\n");
    REQUIRE(move.send == "STARTTLS\r\n");
  }
  void reach_offer(wire::TlsOffer offer) {
    reach_starttls();
    hear("220 go\r\n");
    REQUIRE(move.send == wire::make_client_hello(offer));
    REQUIRE(move.next == Next::Listen);
  }
  // Nothing but the trial is ever written.
  void require_untouched() const {
    CHECK(record.trouble.empty());
    CHECK(record.outcome == model::Outcome{});
    CHECK(record.banner.empty());
    CHECK(record.starttls_code == 0);
    CHECK_FALSE(record.was_offered);
    CHECK_FALSE(record.has_spoken);
  }

  base::SteadyPoint now{};
  model::ProbedAddress record;
  ProbeDialogue dialogue;
  ProbeDialogue::Move move;
};

}  // namespace

TEST_CASE("probe trial: a refusal may come byte by byte, and ends it") {
  Rig rig(Purpose::OldProtocols);
  rig.reach_offer(wire::TlsOffer::OldProtocols);
  for (const char c : kRefusal) {
    REQUIRE(rig.record.old_protocols.answer == Answer::NotTried);
    rig.hear(std::string_view(&c, 1));
  }
  CHECK(rig.record.old_protocols == model::WeakTrial{Answer::Refused, "", "", "protocol_version"});
  CHECK(rig.move.next == Next::HangUp);
  CHECK(rig.move.send.empty());
  rig.require_untouched();
}

TEST_CASE("probe trial: what is chosen is written down, each in its place") {
  std::string hello("\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01", 11);
  hello += std::string(32, 'r') + std::string("\x00\x00\x05\x00", 4);
  Rig rig(Purpose::BrokenCiphers);
  rig.reach_offer(wire::TlsOffer::BrokenCiphers);
  rig.hear(hello + std::string(5000, 'x'));
  CHECK(rig.record.broken_ciphers ==
        model::WeakTrial{Answer::Taken, "TLSv1", "RC4-SHA", "TLSv1 with RC4-SHA"});
  CHECK(rig.record.old_protocols == model::WeakTrial{});
  rig.require_untouched();
}

TEST_CASE("probe trial: a peer that hangs up on the hello refuses it, before that it is unclear") {
  Rig rig(Purpose::OldProtocols);
  rig.reach_starttls();
  rig.dialogue.on_end(ProbeDialogue::End::Closed, rig.now);
  CHECK(rig.record.old_protocols.answer == Answer::Unclear);
  Rig other(Purpose::OldProtocols);
  other.reach_offer(wire::TlsOffer::OldProtocols);
  other.dialogue.on_end(ProbeDialogue::End::Reset, other.now);
  CHECK(other.record.old_protocols.answer == Answer::Refused);
  other.require_untouched();
}

TEST_CASE("probe trial: what puts it off is unclear, and the peer is taken leave of") {
  for (const auto* reply : {"421 later\r\n", "454 not now\r\n", "554 never\r\n"}) {
    Rig rig(Purpose::BrokenCiphers);
    rig.reach_starttls();
    rig.hear(reply);
    CHECK(rig.record.broken_ciphers.answer == Answer::Unclear);
    CHECK(rig.move.send == "QUIT\r\n");
    rig.require_untouched();
  }
  Rig rig(Purpose::BrokenCiphers);
  rig.reach_starttls();
  rig.hear("220 go\r\n250 injected\r\n");
  CHECK(rig.record.broken_ciphers.answer == Answer::Unclear);
  CHECK(rig.move.send.find("\x16\x03") == std::string::npos);
  rig.require_untouched();
}

TEST_CASE("probe trial: silence is unclear once the time is over") {
  Rig rig(Purpose::OldProtocols);
  rig.reach_offer(wire::TlsOffer::OldProtocols);
  rig.now = rig.move.deadline;
  rig.move = rig.dialogue.on_deadline(rig.now);
  CHECK(rig.record.old_protocols.answer == Answer::Unclear);
  CHECK(rig.move.next == Next::HangUp);
  rig.require_untouched();
}
