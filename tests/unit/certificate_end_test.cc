#include "src/engine/certificate_end.h"

#include "tests/unit/catch.h"
#include "tests/unit/probe_samples.h"

TEST_CASE("certificate end: the issuing organisation is what counts of an issuer's name") {
  CHECK(engine::issuing_organisation("CN=R10,O=Let's Encrypt,C=US") == "Let's Encrypt");
  CHECK(engine::issuing_organisation("CN=A\\,O=B,C=US") == "CN=A\\,O=B,C=US");
  CHECK(engine::issuing_organisation("CN=A+O=B") == "B");
  CHECK(engine::issuing_organisation("CN=x,O=Foo\\") == "Foo\\");
  CHECK(engine::issuing_organisation("CN=x\\,,O=Foo") == "Foo");
  CHECK(engine::issuing_organisation("CN=Own Root") == "CN=Own Root");
  CHECK(engine::issuing_organisation("O=").empty() == false);
  CHECK(engine::issuing_organisation("").empty());
}

TEST_CASE("certificate end: only a certificate by which mail is delivered can end a delivery") {
  auto rogue = test::good_peer("rogue.example");
  rogue.trust = model::ChainTrust::SelfSigned;
  rogue.not_after = 5;
  auto shy = test::good_peer("shy.example");
  shy.not_after = 0;
  engine::AskedLevel asked;
  asked.level = model::Level::Verify;
  const auto end = engine::earliest_end(
      asked, test::record_of("a.example", 1, {rogue, shy, test::good_peer("mx.example")}));
  REQUIRE(end.has_value());
  CHECK(end->host == "mx.example");
  CHECK(end->at == 1'000 * test::kDay);
  CHECK(end->other_host.empty());
}
