// What a strict sender says of a mail host of ours, for everything that a probe can see there.
#include "src/engine/own_side.h"

#include <algorithm>

#include "tests/unit/catch.h"

using engine::find_remarks;
using engine::Remark;
using model::ChainTrust;
using Weight = Remark::Weight;

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'000 * kDay;
const engine::Expected kExpected{"mx.example", {"example", ".example"}};

model::ProbedAddress good() {
  model::ProbedAddress probed;
  probed.steps.push_back({{}, model::ProbeStage::Banner, model::ProbeStep::Kind::Received, "220"});
  probed.has_spoken = probed.was_offered = true;
  probed.outcome = {model::Security::Encrypted, std::nullopt};
  auto& tls = probed.tls.emplace();
  tls.protocol = "TLSv1.3";
  tls.cipher = "TLS_AES_256_GCM_SHA384";
  tls.bits = 256;
  tls.is_fit_to_authenticate = true;
  tls.trust = ChainTrust::Trusted;
  auto& leaf = tls.chain.emplace_back();
  leaf.subject = "CN=mx.example";
  leaf.dns_names = {"mx.example"};
  leaf.key_type = "EC prime256v1";
  leaf.key_bits = 256;
  leaf.signature = "ecdsa-with-SHA256";
  leaf.not_after = kNow + 60 * kDay;
  return probed;
}

// The only remark, which must have something to do with it.
void check_objection(const model::ProbedAddress& probed, const std::string& what,
                     const std::string& action) {
  const auto remarks = find_remarks(probed, kExpected, kNow);
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].weight == Weight::Objection);
  CHECK_THAT(remarks[0].what, Catch::Matchers::ContainsSubstring(what));
  CHECK_THAT(remarks[0].action, Catch::Matchers::ContainsSubstring(action));
}

model::ProbedAddress failing(model::Cause cause, std::string trouble) {
  auto probed = good();
  probed.tls.reset();
  probed.outcome = {model::Security::Unknown, cause};
  probed.trouble = std::move(trouble);
  return probed;
}

}  // namespace

TEST_CASE("own side: a host that does it right is not remarked upon") {
  CHECK(find_remarks(good(), kExpected, kNow).empty());
}

TEST_CASE("own side: mail in clear, taken or refused, is nothing to object to") {
  for (const auto answer : {model::PlainMail::Accepted, model::PlainMail::Refused}) {
    auto probed = good();
    probed.plain_mail = answer;
    const auto remarks = find_remarks(probed, kExpected, kNow);
    REQUIRE(remarks.size() == 1);
    CHECK(remarks[0].weight == Weight::Fine);
    CHECK(remarks[0].action.empty());
  }
}

TEST_CASE("own side: want of STARTTLS, and who strips it, are told apart") {
  auto probed = failing(model::Cause::StarttlsNotSupported, "STARTTLS is not offered");
  check_objection(probed, "STARTTLS is not offered", "smtpd_tls_security_level = may");
  probed.is_crossed_out = true;
  check_objection(probed, "STARTTLS is not offered", "inspects SMTP");
  check_objection(failing(model::Cause::HandshakeFailure, "TLS fails: x"),
                  "does not work: TLS fails", "mail log");
  check_objection(failing(model::Cause::PlaintextAfter220, "injects"), "injects", "between");
}

TEST_CASE("own side: who can't be reached is objected to, who puts us off is unknown") {
  auto probed = good();
  probed.tls.reset();
  probed.outcome = {};
  probed.trouble = "it greets with 421 later";
  CHECK(find_remarks(probed, kExpected, kNow).at(0).weight == Weight::Unknown);
  probed.steps.clear();
  probed.trouble = "no connection: Connection refused";
  check_objection(probed, "no mail gets in here", "reach this address");
}

TEST_CASE("own side: each fault of a chain has its own way out") {
  for (const auto& [trust, what, action] :
       {std::tuple(ChainTrust::SelfSigned, "self-signed", "public authority"),
        {ChainTrust::UntrustedIssuer, "none that is trusted", "public authority"},
        {ChainTrust::Incomplete, "incomplete", "intermediate"},
        {ChainTrust::Expired, "expired", "renew"},
        {ChainTrust::NotYetValid, "not valid yet", "clock"},
        {ChainTrust::TooWeak, "not trusted: too weak", "public authority"},
        {ChainTrust::Faulty, "not trusted", "public authority"}}) {
    auto probed = good();
    probed.tls->trust = trust;
    probed.tls->trust_text = "too weak";
    check_objection(probed, what, action);
  }
  auto probed = good();
  probed.tls->chain.front().dns_names = {"other.example"};
  check_objection(probed, "not for mx.example", "names mx.example");
  probed.tls->chain.clear();
  probed.tls->trust = ChainTrust::NoCertificate;
  const auto remarks = find_remarks(probed, kExpected, kNow);
  CHECK(std::any_of(remarks.begin(), remarks.end(), [](const Remark& remark) {
    return remark.what == "it shows no certificate" && !remark.action.empty();
  }));
}

TEST_CASE("own side: an end that is near is objected to, from the thirteenth day on") {
  auto probed = good();
  probed.tls->chain.front().not_after = kNow + 14 * kDay;
  CHECK(find_remarks(probed, kExpected, kNow).empty());
  probed.tls->chain.front().not_after -= 1;
  check_objection(probed, "expires in 13 days", "renew");
  probed.tls->chain.front().not_after = kNow + kDay;
  check_objection(probed, "expires in 1 day", "renew");
}

TEST_CASE("own side: what is weak is objected to, with what mends it") {
  auto probed = good();
  probed.broken_ciphers = {model::WeakTrial::Answer::Taken, "TLSv1.2", "RC4-SHA", ""};
  check_objection(probed, "RC4-SHA is taken too", "smtpd_tls_exclude_ciphers");
  probed = good();
  probed.old_protocols = {model::WeakTrial::Answer::Taken, "TLSv1", "AES128-SHA", ""};
  check_objection(probed, "TLSv1 is taken too", "smtpd_tls_protocols");
  probed = good();
  probed.tls->protocol = "TLSv1";
  check_objection(probed, "TLSv1 is obsolete", "smtpd_tls_protocols");
  probed = good();
  probed.tls->chain.front().key_type = "RSA";
  probed.tls->chain.front().key_bits = 1024;
  check_objection(probed, "1024 bits", "2048");
}

TEST_CASE("own side: the weights have the words of the output") {
  CHECK(engine::to_word(Weight::Objection) == "objection");
  CHECK(engine::to_word(Weight::Unknown) == "unknown");
  CHECK(engine::to_word(Weight::Fine) == "fine");
}

TEST_CASE("own side: what is over by its date alone is the chain's fault, said once") {
  auto probed = good();
  probed.tls->chain.front().not_after = kNow - 1;
  CHECK(find_remarks(probed, kExpected, kNow).empty());
  probed.tls->trust = ChainTrust::Expired;
  check_objection(probed, "has expired", "renew");
  probed.tls->trust = ChainTrust::NoCertificate;
  check_objection(probed, "not trusted", "public authority");
}

TEST_CASE("own side: a session that ended in trouble is not praised") {
  auto probed = good();
  probed.trouble = "it hung up after the handshake";
  CHECK(find_remarks(probed, kExpected, kNow).at(0).weight == Weight::Unknown);
}

TEST_CASE("own side: a certificate holds to its last second") {
  auto probed = good();
  probed.tls->chain.front().not_after = kNow;
  check_objection(probed, "expires in 0 days", "renew it now");
}
