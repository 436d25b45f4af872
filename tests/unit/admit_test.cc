// Which rule of `inbound` holds, and what it makes of a mail.
#include "src/engine/admit.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

namespace {

using engine::Admission;
using model::InboundRequire;
using model::InboundRule;
using model::OnViolation;

constexpr base::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

InboundRule rule(std::int64_t id, std::string client, std::string sender,
                 InboundRequire require = InboundRequire::Encrypt,
                 OnViolation action = OnViolation::Reject) {
  InboundRule made;
  made.id = id;
  made.client = std::move(client);
  made.sender = std::move(sender);
  made.require = require;
  made.on_violation = action;
  return made;
}

model::MailFacts facts(std::string_view address, std::string_view name, std::string_view sender) {
  model::MailFacts made;
  made.has_sender = true;
  made.client_address = address;
  made.client_name = name;
  made.sender = sender;
  return made;
}

model::MailFacts over_tls(std::string_view protocol = "TLSv1.3", std::uint32_t bits = 256) {
  auto made = facts("192.0.2.1", "mx.a.example", "u@a.example");
  made.protocol = protocol;
  made.bits = bits;
  return made;
}

bool nobody(const model::InboundDemand& /*demand*/) {
  return false;
}
bool everybody(const model::InboundDemand& /*demand*/) {
  return true;
}

std::string_view to_word(Admission::Kind kind) {
  switch (kind) {
    case Admission::Kind::NoRule:
      return "no rule";
    case Admission::Kind::Passed:
      return "passed";
    case Admission::Kind::Learning:
      return "learning";
    case Admission::Kind::Violated:
      return "violated";
    case Admission::Kind::Faulty:
      return "faulty";
  }
  return "";
}

std::string judged(const std::vector<InboundRule>& rules, const model::MailFacts& of) {
  const engine::InboundBook book(rules);
  const auto admission = engine::admit(book, engine::make_bringer(of), of, kNow, nobody);
  if (admission.rule == nullptr) return "no rule";
  return std::to_string(admission.rule->id) + " " + std::string(to_word(admission.kind)) + " by " +
         std::string(engine::to_word(admission.step));
}

}  // namespace

TEST_CASE("the table of precedence, from the most specific rule to the last") {
  // In this order each rule wins over all behind it.
  const std::vector<InboundRule> in_order{rule(1, "192.0.2.1", "u@s.a.example"),
                                          rule(2, "192.0.2.1", "s.a.example"),
                                          rule(3, "192.0.2.1", ".a.example"),
                                          rule(4, "192.0.2.1", ".example"),
                                          rule(5, "192.0.2.0/24", "u@s.a.example"),
                                          rule(6, "192.0.0.0/16", "u@s.a.example"),
                                          rule(7, "mx.s.a.example", "u@s.a.example"),
                                          rule(8, "*.s.a.example", "u@s.a.example"),
                                          rule(9, "*.example", "u@s.a.example"),
                                          rule(10, "192.0.2.1", ""),
                                          rule(11, "192.0.2.0/24", ""),
                                          rule(12, "192.0.0.0/16", ""),
                                          rule(13, "0.0.0.0/0", ""),
                                          rule(14, "mx.s.a.example", ""),
                                          rule(15, "*.s.a.example", ""),
                                          rule(16, "*.example", ""),
                                          rule(17, "", "u@s.a.example"),
                                          rule(18, "", "s.a.example"),
                                          rule(19, "", ".a.example"),
                                          rule(20, "", ".example"),
                                          rule(21, "", "")};
  const auto mail = facts("192.0.2.1", "mx.s.a.example", "U@S.A.example");
  const std::size_t first = GENERATE(range(std::size_t{0}, std::size_t{21}));
  // Written in another order than that of the table.
  const std::vector<InboundRule> rules(in_order.rbegin(),
                                       in_order.rend() - static_cast<std::ptrdiff_t>(first));
  const std::string step = first < 9    ? "client and sender"
                           : first < 16 ? "client"
                           : first < 20 ? "sender"
                                        : "any mail";
  CHECK(judged(rules, mail) == std::to_string(first + 1) + " violated by " + step);
}

TEST_CASE("what doesn't match holds for nobody") {
  const std::vector<InboundRule> rules{
      rule(1, "192.0.2.1", ""),    rule(2, "198.51.100.0/24", ""),
      rule(3, "mx.b.example", ""), rule(4, "*.b.example", ""),
      rule(5, "", "u@b.example"),  rule(6, "", "b.example"),
      rule(7, "", ".b.example"),   rule(8, "2001:db8::/32", ""),
      rule(9, "", "<>"),           rule(10, "192.0.2.2", "c.example")};
  CHECK(judged(rules, facts("192.0.2.2", "mx.a.example", "u@a.example")) == "no rule");
  CHECK(judged(rules, facts("192.0.2.2", "b.example", "u@a.example")) == "no rule");
  CHECK(judged(rules, facts("192.0.2.2", "xb.example", "u@xb.example")) == "no rule");
  CHECK(judged(rules, facts("::192.0.2.1", "unknown", "")) == "9 violated by sender");
  CHECK(judged(rules, facts("2001:db8:1::1", "unknown", "x")) == "8 violated by client");
  CHECK(judged(rules, facts("2001:db9::1", "unknown", "x")) == "no rule");
  CHECK(judged(rules, facts("192.0.2.2", "unknown", "u@s.b.example")) == "7 violated by sender");
  CHECK(judged(rules, facts("::ffff:192.0.2.1", "unknown", "x")) == "1 violated by client");
  CHECK(judged(rules, facts("no address", "mx.b.example", "x")) == "3 violated by client");
}

TEST_CASE("every prefix length is found, and nothing beside it") {
  for (unsigned prefix = 0; prefix <= 32; ++prefix) {
    const std::uint32_t mask = prefix == 0 ? 0 : 0xffffffffU << (32 - prefix);
    const std::uint32_t base = 0xcb007105U & mask;
    const auto text = [](std::uint32_t a) {
      return std::to_string(a >> 24U) + "." + std::to_string(a >> 16U & 255U) + "." +
             std::to_string(a >> 8U & 255U) + "." + std::to_string(a & 255U);
    };
    const std::vector<InboundRule> rules{rule(1, text(base) + "/" + std::to_string(prefix), "")};
    CHECK(judged(rules, facts(text(base), "", "x")) == "1 violated by client");
    CHECK(judged(rules, facts(text(base | ~mask), "", "x")) == "1 violated by client");
    if (prefix > 0) {
      CHECK(judged(rules, facts(text(base ^ (1U << (32 - prefix))), "", "x")) == "no rule");
    }
  }
}

TEST_CASE("all of IPv6 is not all of IPv4, nor the other way round") {
  CHECK(judged({rule(1, "::/0", "")}, facts("192.0.2.1", "", "x")) == "no rule");
  CHECK(judged({rule(1, "::/0", "")}, facts("2001:db8::1", "", "x")) == "1 violated by client");
  CHECK(judged({rule(1, "0.0.0.0/0", "")}, facts("2001:db8::1", "", "x")) == "no rule");
}

TEST_CASE("a name that Postfix has not verified relaxes nothing") {
  const std::vector<InboundRule> rules{rule(1, "*.a.example", "", InboundRequire::None),
                                       rule(2, "", "")};
  CHECK(judged(rules, facts("192.0.2.1", "mx.a.example", "x")) == "1 passed by client");
  CHECK(judged(rules, facts("192.0.2.1", "unknown", "x")) == "2 violated by any mail");
}

TEST_CASE("a client's name is one in either case") {
  CHECK(judged({rule(1, "mx.a.example", "")}, facts("192.0.2.1", "MX.A.Example", "x")) ==
        "1 violated by client");
}

TEST_CASE("what is no address is not taken for the domain of a rule") {
  const std::vector<InboundRule> rules{rule(1, "", "a.example"), rule(2, "", ".b.example"),
                                       rule(3, "192.0.2.0/24", "a.example"), rule(4, "", "<>")};
  for (const auto* sender : {"a.example", ".b.example", "u@.b.example", "u@<>", "<>"}) {
    INFO(sender);
    const auto from_afar = judged(rules, facts("198.51.100.1", "unknown", sender));
    const bool is_below = std::string_view(sender) == "u@.b.example";
    CHECK(from_afar == (is_below ? "2 violated by sender" : "no rule"));
    CHECK(judged(rules, facts("192.0.2.1", "unknown", sender)) == from_afar);
  }
}

TEST_CASE("a rule by sender alone only strengthens: what is below it still holds") {
  auto soft = rule(1, "", "u@a.example", InboundRequire::Encrypt, OnViolation::Observe);
  const auto strict = rule(2, "", "a.example", InboundRequire::Certificate);
  const auto all = rule(3, "", "", InboundRequire::Encrypt, OnViolation::Defer);
  CHECK(judged({soft, strict}, over_tls()) == "2 violated by sender");
  CHECK(judged({soft, all}, facts("192.0.2.1", "", "u@a.example")) == "3 violated by any mail");
  // One by client is the operator's word about who connects: it may relax.
  CHECK(judged({strict, all, rule(4, "192.0.2.1", "", InboundRequire::None)},
               facts("192.0.2.1", "", "u@a.example")) == "4 passed by client");
}

TEST_CASE("a rule that has expired does not exist") {
  auto over = rule(1, "192.0.2.1", "");
  over.expires_at = kNow.time_since_epoch().count();
  auto later = rule(2, "192.0.2.0/24", "");
  later.expires_at = over.expires_at + 1;
  CHECK(judged({over, later}, facts("192.0.2.1", "", "x")) == "2 violated by client");
  CHECK(judged({over}, facts("192.0.2.1", "", "x")) == "no rule");
}

TEST_CASE("each requirement names what is asked and what came") {
  auto strict = rule(1, "192.0.2.1", "", InboundRequire::Certificate);
  strict.min_protocol = model::TlsVersion::Tls12;
  strict.min_bits = 128;
  strict.ccert_name = "*.a.example";
  strict.ccert_issuer = "A CA";
  strict.ccert_fingerprint = std::string(64, 'b') + " " + std::string(32, 'a');
  const auto short_of = [&strict](const model::MailFacts& of) {
    const auto found = engine::find_shortfall(strict, of);
    return found ? found->required + " / " + found->got : std::string("nothing");
  };
  CHECK(short_of(facts("192.0.2.1", "", "x")) == "TLS / plaintext");
  CHECK(short_of(over_tls("TLSv1.1")) == "TLSv1.2 or newer / TLSv1.1");
  CHECK(short_of(over_tls("SSLv3")) == "TLSv1.2 or newer / SSLv3");
  CHECK(short_of(over_tls("TLSv1.2", 112)) == "a cipher of 128 bits / 112 bits");
  CHECK(short_of(over_tls("nonsense")) == "TLSv1.2 or newer / nonsense");
  CHECK(short_of(over_tls("TLSv2")) == "a trusted client certificate / no client certificate");
  auto mail = over_tls("TLSv1.4");
  CHECK(short_of(mail) == "a trusted client certificate / no client certificate");
  mail.ccert_fingerprint = "CC:CC";
  CHECK(short_of(mail) ==
        "a trusted client certificate / a client certificate that is not trusted");
  mail.ccert_issuer = "A CA";
  CHECK(short_of(mail) == "a client certificate for \"*.a.example\" / common name none");
  mail.ccert_subject = "a.example.evil";
  CHECK(short_of(mail) ==
        "a client certificate for \"*.a.example\" / common name \"a.example.evil\"");
  mail.ccert_subject = "MX.A.example";
  mail.ccert_issuer = "B CA";
  CHECK(short_of(mail) == "a client certificate issued by \"A CA\" / issuer \"B CA\"");
  mail.ccert_issuer = "A CA";
  CHECK(short_of(mail) == "a client certificate that is pinned here / another client certificate");
  std::string pin;
  for (int i = 0; i < 16; ++i) pin += i == 0 ? "AA" : ":AA";
  mail.ccert_pubkey_fingerprint = pin;
  CHECK(short_of(mail) == "nothing");
}

TEST_CASE("a violation is told as the rule says, and observe tells nothing") {
  const auto said = [](OnViolation action, std::string text = {}) {
    std::vector<InboundRule> rules{rule(1, "192.0.2.1", "", InboundRequire::Encrypt, action)};
    rules[0].text = std::move(text);
    const engine::InboundBook book(rules);
    const auto mail = facts("192.0.2.1", "mx.a.example", "u@a.example");
    return engine::ruling_of(engine::admit(book, engine::make_bringer(mail), mail, kNow, nobody),
                             mail);
  };
  CHECK(said(OnViolation::Reject).action == model::Action::Reject);
  CHECK(said(OnViolation::Reject).text ==
        "Mail from a.example must come with TLS; mx.a.example[192.0.2.1] came with plaintext. "
        "Please set up TLS on the sending server");
  CHECK(said(OnViolation::Defer).action == model::Action::Defer);
  CHECK(said(OnViolation::Tag).action == model::Action::Prepend);
  CHECK(said(OnViolation::Tag).text.starts_with("X-TLS-Policy: violated; required=TLS"));
  CHECK(said(OnViolation::Observe).action == model::Action::Pass);
  CHECK(said(OnViolation::Reject, "$client|$sender_domain|$required|$got|").text ==
        "mx.a.example[192.0.2.1]|a.example|TLS|plaintext|");
}

TEST_CASE("a rule at fault defers the mail it would judge, and no other") {
  std::vector<InboundRule> rules{rule(1, "192.0.2.1", ""), rule(2, "not a client!", "")};
  rules[0].fault = "min_bits must be 1 to 512";
  rules[1].fault = "client";
  const engine::InboundBook book(rules);
  CHECK(book.size() == 1);
  const auto mail = over_tls();
  const auto admission = engine::admit(book, engine::make_bringer(mail), mail, kNow, nobody);
  CHECK(admission.kind == Admission::Kind::Faulty);
  CHECK(engine::ruling_of(admission, mail).action == model::Action::DeferIfPermit);
  CHECK(judged(rules, facts("192.0.2.2", "", "x")) == "no rule");
}

TEST_CASE("a rule for a network with host bits defers the mail of that network") {
  for (const auto* client : {"192.0.2.1/24", "192.0.2.77/24"}) {
    std::vector<InboundRule> rules{rule(1, client, ""), rule(2, "192.0.2.0/33", ""),
                                   rule(3, "2001:db8::1/32", "a.example")};
    for (auto& each : rules) each.fault = model::find_fault(each).value_or("");
    CHECK(judged(rules, facts("192.0.2.200", "unknown", "x")) == "1 faulty by client");
    CHECK(judged(rules, facts("192.0.3.1", "unknown", "x")) == "no rule");
    CHECK(judged(rules, facts("2001:db8:9::9", "unknown", "u@a.example")) ==
          "3 faulty by client and sender");
  }
}

TEST_CASE("a rule at fault that only observes changes nothing") {
  std::vector<InboundRule> rules{rule(1, "192.0.2.1", "")};
  rules[0].fault = "min_bits must be 1 to 512";
  rules[0].on_violation = OnViolation::Observe;
  const engine::InboundBook book(rules);
  const auto mail = over_tls();
  const auto admission = engine::admit(book, engine::make_bringer(mail), mail, kNow, nobody);
  CHECK(admission.kind == Admission::Kind::Faulty);
  CHECK(engine::ruling_of(admission, mail).action == model::Action::Pass);
}

TEST_CASE("a rule that learns holds for those who are known to use TLS alone") {
  std::vector<InboundRule> rules{rule(1, "", "a.example")};
  rules[0].learn_count = 3;
  const engine::InboundBook book(rules);
  const auto mail = facts("192.0.2.1", "", "u@a.example");
  const auto stranger = engine::admit(book, engine::make_bringer(mail), mail, kNow, nobody);
  CHECK(stranger.kind == Admission::Kind::Learning);
  CHECK(engine::ruling_of(stranger, mail).action == model::Action::Pass);
  CHECK(engine::admit(book, engine::make_bringer(mail), mail, kNow, everybody).kind ==
        Admission::Kind::Violated);
}

TEST_CASE("a pin is that of the certificate or of its key, and none shown is told apart") {
  auto pinned = rule(1, "192.0.2.1", "");
  pinned.ccert_fingerprint = "AA:BB, cc:dd";
  auto mail = over_tls();
  const auto got = [&] {
    const auto found = engine::find_shortfall(pinned, mail);
    return found ? found->got : std::string("nothing");
  };
  CHECK(got() == "no client certificate");
  mail.ccert_fingerprint = "aabb";
  CHECK(got() == "nothing");
  mail.ccert_fingerprint = "11:22";
  CHECK(got() == "another client certificate");
  mail.ccert_pubkey_fingerprint = "CC:DD";
  CHECK(got() == "nothing");
  // A key alone is shown by a client with a raw public key.
  mail.ccert_fingerprint = {};
  CHECK(got() == "nothing");
  mail.ccert_pubkey_fingerprint = "33:44";
  CHECK(got() == "another client certificate");
  pinned.require = InboundRequire::Certificate;
  CHECK(got() == "a client certificate that is not trusted");
}

TEST_CASE("the text names a bounce, a sender without a domain and a client without a name") {
  const engine::Shortfall lack{"TLS", "plaintext"};
  const auto told = [&lack](const model::MailFacts& of) {
    return engine::expand_text("$sender_domain $client", lack, of);
  };
  CHECK(told(facts("192.0.2.1", "mx.a.example", "u@a.example")) ==
        "a.example mx.a.example[192.0.2.1]");
  CHECK(told(facts("192.0.2.1", "unknown", "")) == "<> 192.0.2.1");
  CHECK(told(facts("192.0.2.1", "", "postmaster")) == "postmaster 192.0.2.1");
}

TEST_CASE("the domain of a bringer's sender is what his TLS is remembered by") {
  const auto domain_of = [](std::string_view sender) {
    const auto bringer = engine::make_bringer(facts("192.0.2.1", "unknown", sender));
    return std::string(bringer.sender_domain());
  };
  CHECK(domain_of("U@A.Example") == "a.example");
  CHECK(domain_of("") == "<>");
  CHECK(domain_of("postmaster") == "postmaster");
}

TEST_CASE("a rule that can't be read is left out, and of two alike the first holds") {
  const std::vector<InboundRule> rules{rule(1, "", "no sender"), rule(2, "no client", ""),
                                       rule(3, "", "a.example"), rule(4, "", "a.example"),
                                       rule(5, "192.0.2.1", ""), rule(6, "192.0.2.1", "")};
  const engine::InboundBook book(rules);
  CHECK(book.size() == 2);
  CHECK(judged(rules, facts("192.0.2.9", "unknown", "u@a.example")) == "3 violated by sender");
  CHECK(judged(rules, facts("192.0.2.1", "unknown", "u@a.example")) == "5 violated by client");
}

TEST_CASE("a client's rules for other senders leave it to the next best rule") {
  // All of these match the client; only the last one the sender.
  const std::vector<InboundRule> rules{
      rule(1, "192.0.2.1", "b.example"),     rule(2, "mx.a.example", "b.example"),
      rule(3, "*.a.example", "b.example"),   rule(4, "*.example", "<>"),
      rule(5, "*.example", "u@a.example"),   rule(6, "192.0.2.0/24", ".b.example"),
      rule(7, "192.0.2.0/24", "u@b.example")};
  CHECK(judged(rules, facts("192.0.2.1", "mx.a.example", "u@a.example")) ==
        "5 violated by client and sender");
  CHECK(judged(rules, facts("192.0.2.1", "mx.a.example", "")) == "4 violated by client and sender");
  CHECK(judged(rules, facts("192.0.2.1", "mx.a.example", "u@.b.example")) ==
        "6 violated by client and sender");
  CHECK(judged(rules, facts("192.0.2.9", "unknown", "u@")) == "no rule");
}

TEST_CASE("of several rules the harshest holds, and a faulty one that observes is none") {
  auto faulty = rule(1, "", "a.example");
  faulty.fault = "broken";
  faulty.on_violation = OnViolation::Observe;
  const auto tag = rule(2, "", ".example", InboundRequire::Encrypt, OnViolation::Tag);
  const auto mail = facts("192.0.2.1", "unknown", "u@a.example");
  CHECK(judged({faulty, tag}, mail) == "2 violated by sender");
  faulty.on_violation = OnViolation::Tag;
  CHECK(judged({faulty, tag}, mail) == "1 faulty by sender");
  const auto defer = rule(3, "", "", InboundRequire::Encrypt, OnViolation::Defer);
  CHECK(judged({faulty, tag, defer}, mail) == "3 violated by any mail");
}

TEST_CASE("an address without a domain leaves it to the client's rule for any sender") {
  CHECK(judged({rule(1, "192.0.2.1", "b.example"), rule(2, "192.0.2.1", "")},
               facts("192.0.2.1", "unknown", "u@")) == "2 violated by client");
}
