// The prober's conversation against every kind of peer, without a socket.
#include "src/jobs/probe_dialogue.h"

#include "tests/unit/catch.h"

using jobs::ProbeDialogue;
using model::Cause;
using model::PlainMail;
using model::Security;
using Next = ProbeDialogue::Move::Next;
using Purpose = ProbeDialogue::Purpose;
using Catch::Matchers::ContainsSubstring;
using std::chrono::milliseconds;

namespace {

// A dialogue, and the peer's side of it.
class Rig {
 public:
  explicit Rig(Purpose purpose = Purpose::Tls, std::string from = "")
      : dialogue(purpose, {.ehlo_name = "us.example", .mail_from = std::move(from)}, record, now,
                 now) {
    move = dialogue.on_connected("192.0.2.9", now);
  }

  // The peer says `bytes`; what we say to it.
  std::string hear(std::string_view bytes) {
    move = dialogue.on_bytes(bytes, now);
    return move.send;
  }
  void greet() { REQUIRE(hear("220 mx.example ESMTP\r\n") == "EHLO us.example\r\n"); }
  void reach_starttls() {
    greet();
    REQUIRE(hear("250-mx.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n") == "STARTTLS\r\n");
  }
  void reach_handshake() {
    reach_starttls();
    REQUIRE(hear("220 go\r\n").empty());
    REQUIRE(move.next == Next::StartTls);
  }
  void reach_tls() {
    reach_handshake();
    move = dialogue.on_tls({}, now);
    REQUIRE(move.send == "EHLO us.example\r\n");
  }
  [[nodiscard]] bool is_unknown() const {
    return record.outcome == model::Outcome{} && !record.trouble.empty();
  }
  void end(ProbeDialogue::End how = ProbeDialogue::End::Closed) {
    move = dialogue.on_end(how, now);
  }
  void pass(milliseconds time) {
    now += time;
    move = dialogue.on_deadline(now);
  }

  base::SteadyPoint now = base::SteadyPoint{} + std::chrono::hours{1};
  model::ProbedAddress record;
  ProbeDialogue dialogue;
  ProbeDialogue::Move move;
};

}  // namespace

TEST_CASE("probe: a peer with TLS is asked twice and left with QUIT") {
  Rig rig;
  rig.reach_tls();
  CHECK(rig.record.capabilities == std::vector<std::string>{"SIZE 1", "STARTTLS"});
  CHECK(rig.hear("250-mx.example\r\n250 SIZE 2\r\n") == "QUIT\r\n");
  CHECK(rig.record.capabilities_in_tls == std::vector<std::string>{"SIZE 2"});
  CHECK(rig.record.outcome == model::Outcome{Security::Encrypted, std::nullopt});
  CHECK(rig.record.trouble.empty());
  rig.hear("221 bye\r\n");
  CHECK(rig.move.next == Next::HangUp);
}

TEST_CASE("probe: every step has its time, its stage and its text") {
  Rig rig;
  rig.now += milliseconds{1500};
  rig.greet();
  const auto& banner = rig.record.steps.at(1);
  CHECK(banner.at == milliseconds{1500});
  CHECK(banner.stage == model::ProbeStage::Banner);
  CHECK(banner.kind == model::ProbeStep::Kind::Received);
  CHECK(banner.text == "220 mx.example ESMTP");
  CHECK(rig.record.steps.at(2).text == "EHLO us.example");
  CHECK(rig.record.banner == "mx.example ESMTP");
}

TEST_CASE("probe: without a name of ours it is the address that we come from") {
  for (const auto& [address, literal] : {std::pair{"192.0.2.9", "EHLO [192.0.2.9]\r\n"},
                                         {"2001:db8::9", "EHLO [IPv6:2001:db8::9]\r\n"}}) {
    model::ProbedAddress record;
    const base::SteadyPoint now{};
    ProbeDialogue dialogue(Purpose::Tls, {}, record, now, now);
    CHECK(dialogue.on_connected(address, now).next == Next::Listen);
    CHECK(dialogue.on_bytes("220 mx\r\n", now).send == literal);
  }
}

TEST_CASE("probe: replies may come byte by byte") {
  Rig rig;
  for (const char c : std::string_view("220 mx\r")) {
    CHECK(rig.hear(std::string_view(&c, 1)).empty());
    CHECK(rig.move.next == Next::Listen);
  }
  CHECK(rig.hear("\n") == "EHLO us.example\r\n");
}

TEST_CASE("probe: no STARTTLS in the reply to EHLO is its absence") {
  Rig rig;
  rig.greet();
  CHECK(rig.hear("250-mx\r\n250 SIZE\r\n") == "QUIT\r\n");
  CHECK(rig.record.outcome.cause == Cause::StarttlsNotSupported);
  CHECK(rig.record.has_spoken);
  CHECK_FALSE(rig.record.was_offered);
}

TEST_CASE("probe: a capability of X's is told of") {
  Rig rig;
  rig.greet();
  rig.hear("250-mx\r\n250 XXXXXXXA\r\n");
  CHECK(rig.record.outcome.cause == Cause::StarttlsNotSupported);
  CHECK(rig.record.is_crossed_out);
  CHECK_THAT(rig.record.trouble, ContainsSubstring("strips"));
}

TEST_CASE("probe: a peer without EHLO is asked with HELO, once, and has no STARTTLS") {
  Rig rig;
  rig.greet();
  CHECK(rig.hear("502 what\r\n") == "HELO us.example\r\n");
  CHECK(rig.hear("250-mx\r\n250 STARTTLS\r\n") == "QUIT\r\n");
  CHECK(rig.record.outcome.cause == Cause::StarttlsNotSupported);
  Rig other;
  other.greet();
  other.hear("502 what\r\n");
  CHECK(other.hear("502 what\r\n") == "QUIT\r\n");
  CHECK(other.is_unknown());
}

TEST_CASE("probe: a peer that puts us off is unknown, at whatever stage") {
  for (const auto* reply : {"421 later\r\n", "450 greylisted\r\n", "554 not you\r\n"}) {
    Rig rig;
    CHECK(rig.hear(reply) == "QUIT\r\n");
    CHECK(rig.is_unknown());
    CHECK_FALSE(rig.record.has_spoken);
  }
  for (const auto* reply : {"421 later\r\n", "451 greylisted\r\n"}) {
    Rig rig;
    rig.greet();
    rig.hear(reply);
    CHECK(rig.is_unknown());
    Rig in_tls;
    in_tls.reach_tls();
    in_tls.hear(reply);
    CHECK(in_tls.is_unknown());
  }
  Rig rig;
  rig.reach_starttls();
  rig.hear("421 later\r\n");
  CHECK(rig.is_unknown());
  CHECK(rig.record.was_offered);
}

TEST_CASE("probe: STARTTLS answered with anything but 2xx and 421 is refused") {
  for (const auto& [reply, code] : {std::pair{"454 not now\r\n", 454}, {"554 never\r\n", 554}}) {
    Rig rig;
    rig.reach_starttls();
    CHECK(rig.hear(reply) == "QUIT\r\n");
    CHECK(rig.record.outcome.cause == Cause::StarttlsRefused);
    CHECK(rig.record.starttls_code == code);
  }
}

TEST_CASE("probe: anything behind the 220 to STARTTLS ends it, without another word") {
  for (const auto* bytes :
       {"220 go\r\n250 injected\r\n", "220 go\r\nx", "220 go\r\n\x16\x03\x01"}) {
    Rig rig;
    rig.reach_starttls();
    CHECK(rig.hear(bytes).empty());
    CHECK(rig.move.next == Next::HangUp);
    CHECK(rig.record.outcome.cause == Cause::PlaintextAfter220);
  }
}

TEST_CASE("probe: what was offered before TLS is not taken into it") {
  Rig rig;
  rig.reach_tls();
  rig.hear("250 mx\r\n");
  CHECK(rig.record.capabilities_in_tls.empty());
  CHECK(rig.record.outcome.security == Security::Encrypted);
}

TEST_CASE("probe: a failed handshake, a hang-up and a silence are told apart") {
  Rig garbage;
  garbage.reach_handshake();
  garbage.move = garbage.dialogue.on_tls_failed("wrong version number", garbage.now);
  CHECK(garbage.move.next == Next::HangUp);
  CHECK(garbage.record.outcome.cause == Cause::HandshakeFailure);
  CHECK_THAT(garbage.record.trouble, ContainsSubstring("wrong version number"));

  for (const auto stage : {0, 1, 2}) {
    Rig closed;
    Rig silent;
    for (auto* rig : {&closed, &silent}) {
      if (stage == 0) rig->reach_starttls();
      if (stage == 1) rig->reach_handshake();
      if (stage == 2) rig->reach_tls();
    }
    closed.end();
    CHECK(closed.record.outcome.cause == Cause::HangUp);
    CHECK(closed.move.next == Next::HangUp);
    silent.pass(milliseconds{20'000});
    CHECK(silent.record.outcome.cause == Cause::Timeout);
    CHECK(silent.move.next == Next::HangUp);
    CHECK((silent.record.starttls_code == 0) == (stage == 0));
  }
}

TEST_CASE("probe: a limit of ours in TLS says nothing about the peer's TLS") {
  Rig rig;
  rig.reach_tls();
  rig.move = rig.dialogue.on_tls_refused("the peer asks for another handshake", rig.now);
  CHECK(rig.is_unknown());
  CHECK(rig.move.next == Next::HangUp);
}

TEST_CASE("probe: who is gone or silent before STARTTLS is unknown") {
  Rig closed;
  closed.end();
  CHECK(closed.is_unknown());
  Rig reset;
  reset.greet();
  reset.end(ProbeDialogue::End::Reset);
  CHECK(reset.is_unknown());
  Rig silent;
  silent.pass(milliseconds{20'000});
  CHECK(silent.is_unknown());
  CHECK(silent.move.next == Next::HangUp);
}

TEST_CASE("probe: a reply that drips counts as slow, its deadline is not put off") {
  Rig rig;
  rig.reach_starttls();
  const auto deadline = rig.move.deadline;
  rig.now += milliseconds{19'000};
  rig.hear("2");
  CHECK(rig.move.deadline == deadline);
  rig.pass(milliseconds{1'000});
  CHECK(rig.is_unknown());
}

TEST_CASE("probe: all of it has a deadline besides the steps") {
  Rig rig;
  rig.now += milliseconds{15'000};
  rig.greet();
  CHECK(rig.move.deadline == rig.now + milliseconds{15'000});
  rig.pass(milliseconds{15'000});
  CHECK_THAT(rig.record.trouble, ContainsSubstring("30 s"));
}

TEST_CASE("probe: no connection is no statement about TLS") {
  model::ProbedAddress record;
  const base::SteadyPoint now{};
  ProbeDialogue dialogue(Purpose::Tls, {.ehlo_name = "us", .mail_from = ""}, record, now, now);
  CHECK(dialogue.first_move().deadline == now + milliseconds{20'000});
  CHECK(dialogue.on_connect_failed("Connection refused", now).next == Next::HangUp);
  CHECK(record.outcome == model::Outcome{});
  CHECK(record.trouble == "no connection: Connection refused");
}

TEST_CASE("probe: a flood is left at its limits") {
  Rig banner;
  banner.hear("220 " + std::string(65'536, 'a'));
  CHECK(banner.is_unknown());
  CHECK(banner.move.next == Next::HangUp);
  Rig lines;
  lines.greet();
  std::string flood;
  for (int i = 0; i < 4'000; ++i) flood += "250-A\r\n";
  lines.hear(flood);
  CHECK(lines.is_unknown());
  CHECK(lines.move.next == Next::HangUp);
  CHECK(lines.record.steps.size() < 10);
}

TEST_CASE("probe: a peer that speaks out of turn is left") {
  Rig rig;
  CHECK(rig.hear("220 mx\r\n250 mx\r\n") == "QUIT\r\n");
  CHECK(rig.is_unknown());
}

TEST_CASE("probe: the answer to QUIT changes nothing") {
  Rig rig;
  rig.reach_tls();
  rig.hear("250 mx\r\n");
  const auto outcome = rig.record.outcome;
  CHECK(rig.move.deadline == rig.now + milliseconds{2'000});
  rig.pass(milliseconds{2'000});
  CHECK(rig.move.next == Next::HangUp);
  CHECK(rig.record.outcome == outcome);
  CHECK(rig.record.trouble.empty());
}

TEST_CASE("probe: MAIL FROM without TLS is taken back, and nobody is asked for more") {
  Rig rig(Purpose::RefusesPlaintext, "a@us.example");
  rig.greet();
  CHECK(rig.hear("250-mx\r\n250 STARTTLS\r\n") == "MAIL FROM:<a@us.example>\r\n");
  CHECK(rig.hear("250 ok\r\n") == "RSET\r\n");
  CHECK(rig.hear("250 ok\r\n") == "QUIT\r\n");
  CHECK(rig.record.plain_mail == PlainMail::Accepted);
  // The record of the first conversation is left alone.
  CHECK(rig.record.capabilities.empty());
  CHECK(rig.record.outcome == model::Outcome{});
}

TEST_CASE("probe: only a refusal for want of TLS is one") {
  const auto answer_to = [](std::string_view reply) {
    Rig rig(Purpose::RefusesPlaintext);
    rig.greet();
    REQUIRE(rig.hear("250 mx\r\n") == "MAIL FROM:<>\r\n");
    CHECK(rig.hear(reply) == "QUIT\r\n");
    return rig.record.plain_mail;
  };
  CHECK(answer_to("530 5.7.0 Must issue a STARTTLS command first\r\n") == PlainMail::Refused);
  CHECK(answer_to("530 no\r\n") == PlainMail::Refused);
  CHECK(answer_to("550 5.7.1 Encryption required\r\n") == PlainMail::Refused);
  CHECK(answer_to("530 5.7.0 Authentication required\r\n") == PlainMail::Unclear);
  CHECK(answer_to("550 5.1.8 sender unknown\r\n") == PlainMail::Unclear);
  CHECK(answer_to("451 4.7.1 greylisted, use TLS\r\n") == PlainMail::Unclear);
  CHECK(answer_to("421 later\r\n") == PlainMail::Unclear);
  Rig rig(Purpose::RefusesPlaintext);
  rig.end();
  CHECK(rig.record.plain_mail == PlainMail::Unclear);
  CHECK(rig.record.trouble.empty());
}

TEST_CASE("probe: who chose to show no certificate is asked again, and only that may change") {
  model::ProbedAddress record;
  record.tls.emplace().cipher = "ADH-AES256-SHA";
  record.outcome = {Security::Encrypted, std::nullopt};
  const auto first = record.tls;
  const base::SteadyPoint now{};
  const auto reach = [&](ProbeDialogue& dialogue) {
    dialogue.on_connected("192.0.2.9", now);
    dialogue.on_bytes("220 mx\r\n", now);
    CHECK(dialogue.on_bytes("250-mx\r\n250 STARTTLS\r\n", now).send == "STARTTLS\r\n");
    return dialogue.on_bytes("220 go\r\n", now).next;
  };
  ProbeDialogue failing(Purpose::Certificate, {}, record, now, now);
  CHECK(reach(failing) == Next::StartTls);
  failing.on_tls_failed("no shared cipher", now);
  CHECK(record.tls == first);
  CHECK(record.trouble.empty());
  ProbeDialogue showing(Purpose::Certificate, {}, record, now, now);
  CHECK(reach(showing) == Next::StartTls);
  model::SeenTls named;
  named.chain.emplace_back();
  CHECK(showing.on_tls(named, now).send == "QUIT\r\n");
  CHECK(record.tls == named);
  CHECK(record.outcome == model::Outcome{Security::Encrypted, std::nullopt});
}
