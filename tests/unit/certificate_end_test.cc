#include "src/engine/certificate_end.h"

#include "tests/unit/catch.h"

TEST_CASE("certificate end: the issuing organisation is what counts of an issuer's name") {
  CHECK(engine::issuing_organisation("CN=R10,O=Let's Encrypt,C=US") == "Let's Encrypt");
  CHECK(engine::issuing_organisation("CN=A\\,O=B,C=US") == "CN=A\\,O=B,C=US");
  CHECK(engine::issuing_organisation("CN=A+O=B") == "B");
  CHECK(engine::issuing_organisation("CN=x,O=Foo\\") == "Foo\\");
  CHECK(engine::issuing_organisation("CN=Own Root") == "CN=Own Root");
  CHECK(engine::issuing_organisation("O=").empty() == false);
  CHECK(engine::issuing_organisation("").empty());
}
