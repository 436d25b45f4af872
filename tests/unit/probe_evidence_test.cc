// What probes of a destination teach of mail to it.
#include "src/engine/probe_evidence.h"

#include "src/engine/opt_out.h"
#include "tests/unit/catch.h"

namespace {

using engine::ProbedPlace;
using engine::Rules;
using model::Cause;
using model::Level;
using model::Security;

model::ProbedAddress silent() {
  return {};
}

model::ProbedAddress failing(Cause cause, bool was_offered = true) {
  model::ProbedAddress seen;
  seen.has_spoken = true;
  seen.was_offered = was_offered;
  seen.outcome = {Security::Unknown, cause};
  return seen;
}

model::ProbedAddress working(std::string name, model::ChainTrust trust) {
  model::ProbedAddress seen;
  seen.has_spoken = seen.was_offered = true;
  seen.outcome = {Security::Encrypted, std::nullopt};
  seen.tls.emplace();
  seen.tls->protocol = "TLSv1.3";
  seen.tls->is_fit_to_authenticate = true;
  seen.tls->trust = trust;
  seen.tls->chain.emplace_back();
  seen.tls->chain.front().dns_names = {std::move(name)};
  return seen;
}

ProbedPlace place(std::uint16_t preference, const model::ProbedAddress* seen) {
  return {preference,
          "mx.a.example[192.0.2.1]:25",
          {"mx.a.example", {"a.example", ".a.example"}},
          seen};
}

Rules asking(Level level) {
  Rules rules;
  rules.level = level;
  return rules;
}

const auto kGood = working("mx.a.example", model::ChainTrust::Trusted);
const auto kRogue = working("mx.a.example", model::ChainTrust::SelfSigned);
const auto kHangsUp = failing(Cause::HangUp);
const auto kPlain = failing(Cause::StarttlsNotSupported, false);
const auto kSilent = silent();

engine::ProbeFinding found(const std::vector<ProbedPlace>& places) {
  return engine::find_what_mail_meets(places);
}

}  // namespace

TEST_CASE("TLS works where the hosts that smtp(8) asks first do it") {
  for (const auto& places :
       {std::vector{place(10, &kGood)}, std::vector{place(10, &kGood), place(20, &kPlain)},
        std::vector{place(10, &kGood), place(10, &kSilent)},
        std::vector{place(10, &kSilent), place(20, &kGood)},
        std::vector{place(10, nullptr), place(20, &kGood)}}) {
    const auto finding = found(places);
    REQUIRE(finding.encrypted);
    CHECK(finding.encrypted->security == Security::Encrypted);
    CHECK_FALSE(finding.encrypted->cause);
    CHECK(finding.was_offered);
  }
}

TEST_CASE("where one of the first hosts fails and another does not, nothing is said") {
  CHECK_FALSE(found({place(10, &kGood), place(10, &kPlain)}).encrypted);
  CHECK_FALSE(found({place(10, &kPlain), place(20, &kGood)}).encrypted);
  CHECK_FALSE(found({place(10, &kGood), place(10, &kPlain)}).was_offered);
}

TEST_CASE("TLS fails where it fails at every address of every host") {
  const auto finding = found({place(10, &kHangsUp), place(20, &kPlain)});
  REQUIRE(finding.encrypted);
  CHECK(finding.encrypted->cause == Cause::HangUp);
  CHECK_FALSE(found({place(10, &kHangsUp), place(20, &kSilent)}).encrypted);
  CHECK_FALSE(found({place(10, &kHangsUp), place(20, nullptr)}).encrypted);
  CHECK_FALSE(found({}).encrypted);
}

TEST_CASE("an injected reply is nobody's failure") {
  const auto injected = failing(Cause::PlaintextAfter220);
  CHECK_FALSE(found({place(10, &injected)}).encrypted);
}

TEST_CASE("a row that asks for a name learns from the certificate") {
  const auto good = found({place(10, &kGood)});
  const auto rogue = found({place(10, &kRogue)});
  const auto verify = asking(Level::Verify);
  CHECK(engine::evidence_for(&verify, good, 1)->outcome ==
        model::Outcome{Security::Authenticated, std::nullopt});
  CHECK(engine::evidence_for(&verify, rogue, 1)->outcome ==
        model::Outcome{Security::Encrypted, Cause::CertificateNotTrusted});
  const auto secure = asking(Level::Secure);
  CHECK(engine::evidence_for(&secure, good, 1)->outcome ==
        model::Outcome{Security::Authenticated, std::nullopt});
  // A host's own name is not the domain's.
  const auto seen = working("mx.hoster.example", model::ChainTrust::Trusted);
  auto elsewhere = place(10, &seen);
  elsewhere.expected.host = "mx.hoster.example";
  const auto hosted = found({elsewhere});
  CHECK(engine::evidence_for(&verify, hosted, 1)->outcome ==
        model::Outcome{Security::Authenticated, std::nullopt});
  CHECK(engine::evidence_for(&secure, hosted, 1)->outcome ==
        model::Outcome{Security::Encrypted, Cause::CertificateHostMismatch});
  const auto encrypt = asking(Level::Encrypt);
  CHECK(engine::evidence_for(&encrypt, rogue, 1)->outcome ==
        model::Outcome{Security::Encrypted, std::nullopt});
}

TEST_CASE("what a probe does not try shows an offer, a missing STARTTLS, and nothing else") {
  auto own = asking(Level::Encrypt);
  own.has_own_demands = true;
  for (const auto& rules : {own, asking(Level::Fingerprint), asking(Level::Dane)}) {
    const auto offer = engine::evidence_for(&rules, found({place(10, &kGood)}), 1);
    REQUIRE(offer);
    CHECK(offer->was_offered);
    CHECK(offer->outcome == model::Outcome{});
    const auto missing = engine::evidence_for(&rules, found({place(10, &kPlain)}), 1);
    REQUIRE(missing);
    CHECK(missing->outcome.cause == Cause::StarttlsNotSupported);
    CHECK_FALSE(engine::evidence_for(&rules, found({place(10, &kSilent)}), 1));
  }
}

TEST_CASE("the evidence of a probe is trusted, dated and says where it is from") {
  const auto evidence = engine::evidence_for(nullptr, found({place(10, &kGood)}), 1'800'000'000);
  REQUIRE(evidence);
  CHECK(evidence->source == model::Source::Probe);
  CHECK(evidence->is_trusted);
  CHECK(evidence->at == 1'800'000'000);
  CHECK(evidence->mx == "mx.a.example[192.0.2.1]:25");
}

TEST_CASE("hosts that could not be asked for count as unknown, those without address not at all") {
  model::Route route;
  route.next_hop = route.name = "a.example";
  route.hosts.resize(2);
  route.hosts[0].name = "mx.a.example";
  route.hosts[0].preference = 10;
  route.hosts[1].name = "mx2.a.example";
  route.hosts[1].preference = 20;
  const std::vector<engine::CheckedTarget> targets{{{"mx.a.example", {}, 25}, &kHangsUp, {}}};
  route.hosts[1].fault = model::RouteFault::Timeout;
  CHECK_FALSE(found(engine::places_of(route, targets)).encrypted);
  route.hosts[1].fault = model::RouteFault::NoSuchName;
  CHECK(found(engine::places_of(route, targets)).encrypted->cause == Cause::HangUp);
}

TEST_CASE("who opted out is known by name, by host and by network") {
  const auto parsed = engine::parse_opt_out("a.example, .B.example\t192.0.2.0/24 2001:db8::1");
  REQUIRE(parsed);
  CHECK(parsed->networks.size() == 2);
  CHECK(parsed->has("a.example"));
  CHECK(parsed->has("[a.example]:587"));
  CHECK(parsed->has("a.example:submission"));
  CHECK(parsed->has("mx.b.example"));
  CHECK_FALSE(parsed->has("b.example"));
  CHECK_FALSE(parsed->has("x.a.example"));
  CHECK(engine::parse_opt_out(""));
  for (const auto* wrong : {"*", "[a.example]", "a.example:25", "192.0.2.1/24", "a b_c!"}) {
    CHECK_FALSE(engine::parse_opt_out(wrong));
  }
}

TEST_CASE("why a certificate does not do is told by cause") {
  using model::ChainTrust;
  for (const auto& [trust, cause] : {std::pair(ChainTrust::Trusted, Cause::CertificateHostMismatch),
                                     {ChainTrust::Expired, Cause::CertificateExpired},
                                     {ChainTrust::SelfSigned, Cause::CertificateNotTrusted},
                                     {ChainTrust::UntrustedIssuer, Cause::CertificateNotTrusted},
                                     {ChainTrust::Incomplete, Cause::CertificateNotTrusted},
                                     {ChainTrust::NotYetValid, Cause::ValidationFailure},
                                     {ChainTrust::TooWeak, Cause::ValidationFailure},
                                     {ChainTrust::Faulty, Cause::ValidationFailure},
                                     {ChainTrust::NoCertificate, Cause::ValidationFailure}}) {
    INFO(model::to_word(trust));
    const auto seen = working("other.example", trust);
    CHECK(found({place(10, &seen)}).verified == model::Outcome{Security::Encrypted, cause});
  }
  // Trusted, and for the right name, but by TLS too weak to prove it.
  auto weak = working("mx.a.example", ChainTrust::Trusted);
  weak.tls->is_fit_to_authenticate = false;
  CHECK(found({place(10, &weak)}).verified ==
        model::Outcome{Security::Encrypted, Cause::ValidationFailure});
}

TEST_CASE("one good address among bad ones is no answer for a name either") {
  CHECK_FALSE(found({place(10, &kRogue), place(10, &kGood)}).verified);
  CHECK_FALSE(found({place(10, &kGood), place(10, &kRogue)}).verified);
  CHECK(found({place(10, &kGood), place(10, &kSilent), place(10, &kGood)}).verified);
}

TEST_CASE("rows that ask for no name learn from encryption, and others from what they ask") {
  const auto rogue = found({place(10, &kRogue)});
  for (const auto level : {Level::None, Level::May, Level::Encrypt}) {
    const auto rules = asking(level);
    CHECK(engine::evidence_for(&rules, rogue, 1)->outcome ==
          model::Outcome{Security::Encrypted, std::nullopt});
  }
  CHECK(engine::evidence_for(nullptr, rogue, 1)->outcome ==
        model::Outcome{Security::Encrypted, std::nullopt});
  // A pin is compared by smtp(8) alone; that there is no TLS at all, everybody sees.
  const auto pinned = asking(Level::Fingerprint);
  CHECK(engine::evidence_for(&pinned, rogue, 1)->outcome == model::Outcome{});
  CHECK(engine::evidence_for(&pinned, found({place(10, &kPlain)}), 1)->outcome.cause ==
        Cause::StarttlsNotSupported);
}
