// Which profiles would deliver: the rows of OBSERVED section 1, one for each kind of peer.
#include "src/engine/would_deliver.h"

#include "tests/unit/catch.h"

using engine::Expected;
using engine::would_deliver;
using engine::WouldDeliver;
using model::Cause;
using model::ChainTrust;
using model::ProbedAddress;
using model::Security;

namespace {

const Expected kExpected{"mx.example.com", {"example.com", ".example.com"}};
constexpr auto kUnknown = std::nullopt;

ProbedAddress good() {
  ProbedAddress probed;
  probed.has_spoken = probed.was_offered = true;
  probed.starttls_code = 220;
  probed.outcome = {Security::Encrypted, std::nullopt};
  model::SeenCertificate leaf;
  leaf.dns_names = {"mx.example.com"};
  model::SeenTls tls;
  tls.protocol = "TLSv1.3";
  tls.cipher = "TLS_AES_256_GCM_SHA384";
  tls.bits = 256;
  tls.is_fit_to_authenticate = true;
  tls.chain = {leaf};
  tls.trust = ChainTrust::Trusted;
  probed.tls = tls;
  return probed;
}

ProbedAddress failed(Cause cause, int starttls_code) {
  ProbedAddress probed;
  probed.has_spoken = true;
  probed.was_offered = cause != Cause::StarttlsNotSupported;
  probed.starttls_code = starttls_code;
  probed.outcome = {Security::Unknown, cause};
  return probed;
}

WouldDeliver of(const ProbedAddress& probed, const Expected& expected = kExpected) {
  return would_deliver(probed, expected);
}

}  // namespace

TEST_CASE("would deliver: a peer that does everything right, under every profile") {
  CHECK(of(good()) == WouldDeliver{true, true, true, true, true, true});
}

TEST_CASE("would deliver: who is not vouched for can be encrypted to, and pinned") {
  for (const auto trust :
       {ChainTrust::SelfSigned, ChainTrust::Expired, ChainTrust::UntrustedIssuer,
        ChainTrust::Incomplete, ChainTrust::TooWeak, ChainTrust::NotYetValid, ChainTrust::Faulty}) {
    auto probed = good();
    probed.tls->trust = trust;
    CHECK(of(probed) == WouldDeliver{true, true, true, false, false, true});
  }
}

TEST_CASE("would deliver: the MX host's name is for verified, the domain's for secure") {
  const Expected hosted{"mx.example.com", {"customer.example", ".customer.example"}};
  CHECK(of(good(), hosted) == WouldDeliver{true, true, true, true, false, true});
  const Expected wrong{"mx.other.example", {"other.example", ".other.example"}};
  CHECK(of(good(), wrong) == WouldDeliver{true, true, true, false, false, true});
}

TEST_CASE("would deliver: TLS too old to authenticate anybody still encrypts") {
  auto probed = good();
  probed.tls->is_fit_to_authenticate = false;
  CHECK(of(probed) == WouldDeliver{true, true, true, false, false, false});
  probed.tls->chain.clear();
  CHECK(of(probed) == WouldDeliver{true, true, true, false, false, false});
}

TEST_CASE("would deliver: without STARTTLS, or with it refused, in clear alone") {
  const WouldDeliver in_clear{true, true, false, false, false, false};
  CHECK(of(failed(Cause::StarttlsNotSupported, 0)) == in_clear);
  CHECK(of(failed(Cause::StarttlsRefused, 454)) == in_clear);
}

TEST_CASE("would deliver: a handshake that fails is fallen back from, no answer at all is not") {
  for (const auto cause : {Cause::HandshakeFailure, Cause::HangUp, Cause::Timeout}) {
    CHECK(of(failed(cause, 220)) == WouldDeliver{true, true, false, false, false, false});
  }
  CHECK(of(failed(Cause::HangUp, 0)) == WouldDeliver{true, false, false, false, false, false});
  CHECK(of(failed(Cause::Timeout, 0)) == WouldDeliver{true, false, false, false, false, false});
}

TEST_CASE("would deliver: a peer that put us off is unknown under every profile") {
  CHECK(of({}) == WouldDeliver{});
  ProbedAddress later;
  later.has_spoken = later.was_offered = true;
  later.starttls_code = 421;
  CHECK(of(later) == WouldDeliver{true, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown});
}

TEST_CASE("would deliver: over an injected reply nobody knows") {
  const auto injected = of(failed(Cause::PlaintextAfter220, 220));
  CHECK(injected == WouldDeliver{true, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown});
}

TEST_CASE("would deliver: a peer that takes no mail in clear gets none in clear") {
  auto probed = good();
  probed.plain_mail = model::PlainMail::Refused;
  CHECK(of(probed) == WouldDeliver{false, true, true, true, true, true});
  auto broken = failed(Cause::HandshakeFailure, 220);
  broken.plain_mail = model::PlainMail::Refused;
  CHECK(of(broken) == WouldDeliver{false, false, false, false, false, false});
}

TEST_CASE("would deliver: of several addresses one is enough, and an unknown one is no no") {
  const auto yes = of(good());
  const auto no = of(failed(Cause::StarttlsNotSupported, 0));
  CHECK(engine::any_of({no, yes}) == yes);
  CHECK(engine::any_of({no, {}}).required == kUnknown);
  CHECK(engine::any_of({no, {}}).off == true);
  CHECK(engine::any_of({no, no}).required == false);
  CHECK(engine::any_of({}) == WouldDeliver{});
}

TEST_CASE("would deliver: what is proposed holds at every address") {
  const auto yes = of(good());
  const auto no = of(failed(Cause::StarttlsNotSupported, 0));
  auto self_signed = good();
  self_signed.tls->trust = ChainTrust::SelfSigned;
  CHECK(engine::strictest_for_all({yes, yes}) == "secure");
  CHECK(engine::strictest_for_all({yes, of(self_signed)}) == "required");
  CHECK(engine::strictest_for_all({yes, no}) == "opportunistic");
  CHECK(engine::strictest_for_all({yes, {}}) == std::nullopt);
  CHECK(engine::strictest_for_all({}) == std::nullopt);
}

TEST_CASE("weaknesses: what nobody should rely on is named, and nothing else") {
  auto tls = *good().tls;
  tls.chain.front().key_type = "EC prime256v1";
  tls.chain.front().key_bits = 256;
  tls.chain.front().signature = "ecdsa-with-SHA256";
  CHECK(engine::find_weaknesses(tls).empty());
  tls.protocol = "TLSv1.1";
  tls.cipher = "DES-CBC3-SHA";
  tls.bits = 112;
  tls.key_exchange = "RSA";
  tls.chain.front().key_type = "RSA";
  tls.chain.front().key_bits = 1024;
  tls.chain.front().subject = "CN=a";
  tls.chain.front().signature = "sha1WithRSAEncryption";
  CHECK(engine::find_weaknesses(tls).size() == 6);
  // A root is believed for itself.
  tls.chain.front().issuer = "CN=a";
  CHECK(engine::find_weaknesses(tls).size() == 5);
  tls.chain.clear();
  CHECK_THAT(engine::find_weaknesses(tls).at(3), Catch::Matchers::ContainsSubstring("anonymous"));
}

TEST_CASE("weaknesses: what an offer found is one, what it did not find is none") {
  using Answer = model::WeakTrial::Answer;
  auto probed = good();
  probed.tls->chain.front().key_type = "EC prime256v1";
  for (const auto answer : {Answer::NotTried, Answer::Refused, Answer::Unclear}) {
    probed.old_protocols.answer = probed.broken_ciphers.answer = answer;
    CHECK(engine::find_weaknesses(probed).empty());
  }
  probed.old_protocols = {Answer::Taken, "TLSv1", "AES128-SHA", ""};
  probed.broken_ciphers = {Answer::Taken, "TLSv1.2", "RC4-SHA", ""};
  CHECK(engine::find_weaknesses(probed) ==
        std::vector<std::string>{"the obsolete protocol TLSv1 is taken too (RFC 8996)",
                                 "the broken cipher RC4-SHA is taken too"});
}

TEST_CASE("would deliver: authenticated or in clear, what was seen is what is known") {
  auto probed = good();
  probed.outcome.security = Security::Authenticated;
  CHECK(of(probed).required == true);
  probed = failed(Cause::StarttlsNotSupported, 0);
  probed.outcome.security = Security::Clear;
  CHECK(of(probed).required == false);
  probed = good();
  probed.tls->chain.clear();
  CHECK(of(probed) == WouldDeliver{true, true, true, false, false, false});
}

TEST_CASE("would deliver: a host's certificate is what is proposed where the domain's is not") {
  const Expected hosted{"mx.example.com", {"customer.example"}};
  CHECK(engine::strictest_for_all({of(good()), of(good(), hosted)}) == "verified");
}

TEST_CASE("weaknesses: each of them is found where it stands alone") {
  const auto found = [](auto change) {
    auto tls = *good().tls;
    tls.chain.front().key_type = "RSA";
    tls.chain.front().key_bits = 2048;
    tls.chain.front().subject = "CN=a";
    tls.chain.push_back(tls.chain.front());
    REQUIRE(engine::find_weaknesses(tls).empty());
    change(tls);
    const auto weak = engine::find_weaknesses(tls);
    REQUIRE(weak.size() == 1);
    return weak.front();
  };
  using Tls = model::SeenTls;
  CHECK(found([](Tls& tls) { tls.protocol = "TLSv1"; }) ==
        "the protocol TLSv1 is obsolete (RFC 8996)");
  CHECK(found([](Tls& tls) { tls.cipher = "NULL-SHA"; }) == "the cipher NULL-SHA is broken");
  CHECK(found([](Tls& tls) { tls.bits = 127; }) == "the cipher has 127 secret bits");
  CHECK(found([](Tls& tls) { tls.key_exchange = "RSA"; }) ==
        "the key exchange is RSA, without forward secrecy");
  CHECK(found([](Tls& tls) {
          tls.key_exchange = "DH";
          tls.key_exchange_bits = 1024;
        }) == "the Diffie-Hellman group has 1024 bits");
  CHECK(found([](Tls& tls) { tls.chain.front().key_bits = 2047; }) ==
        "the RSA key of the certificate has 2047 bits");
  CHECK(found([](Tls& tls) { tls.chain.back().key_bits = 1024; }) ==
        "the RSA key of certificate 2 of the chain has 1024 bits");
  CHECK(found([](Tls& tls) { tls.chain.front().signature = "ecdsa-with-SHA1"; }) ==
        "the certificate is signed by ecdsa-with-SHA1");
  CHECK(found([](Tls& tls) { tls.chain.back().signature = "md5WithRSAEncryption"; }) ==
        "certificate 2 of the chain is signed by md5WithRSAEncryption");
}

TEST_CASE("weaknesses: enough is enough") {
  auto tls = *good().tls;
  tls.protocol = "TLSv1.2";
  tls.bits = 128;
  tls.key_exchange = "DH";
  tls.key_exchange_bits = 2048;
  tls.chain.front().key_type = "RSA";
  tls.chain.front().key_bits = 2048;
  CHECK(engine::find_weaknesses(tls).empty());
  CHECK(engine::find_weaknesses(failed(Cause::HangUp, 0)).empty());
}
