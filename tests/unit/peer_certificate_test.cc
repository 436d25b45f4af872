#include "src/net/peer_certificate.h"

#include "tests/unit/made_certificate.h"

using net::describe_certificate;
using test::certify;
using test::make_key;
using test::Wishes;
using namespace std::string_literals;

TEST_CASE("peer certificate: its names, its time, its key") {
  const auto key = make_key();
  const auto made =
      certify({.alternatives = "DNS:mx.example,DNS:*.mail.example,IP:192.0.2.1,IP:2001:db8::1,"
                               "email:postmaster@mail.example"},
              key.get());
  const auto seen = describe_certificate(made.get());
  CHECK(seen.subject == "CN=mx.example");
  CHECK(seen.issuer == "CN=mx.example");
  CHECK(seen.common_name == "mx.example");
  CHECK(seen.dns_names == std::vector{"mx.example"s, "*.mail.example"s});
  CHECK(seen.addresses == std::vector{"192.0.2.1"s, "2001:db8::1"s});
  CHECK(seen.not_after - seen.not_before == 86'460);
  CHECK(seen.key_type == "EC prime256v1");
  CHECK(seen.key_bits == 256);
  CHECK(seen.signature == "ecdsa-with-SHA256");
  CHECK(seen.digest.size() == 64);
  CHECK(seen.key_digest.size() == 64);
  CHECK(seen.digest != seen.key_digest);
}

TEST_CASE("peer certificate: keys of other kinds have their own names") {
  const test::Key rsa(EVP_RSA_gen(2048));
  const auto seen = describe_certificate(certify({}, rsa.get()).get());
  CHECK(seen.key_type == "RSA");
  CHECK(seen.key_bits == 2048);
  CHECK(seen.signature == "sha256WithRSAEncryption");
}

TEST_CASE("peer certificate: the last common name counts, in UTF-8") {
  const auto key = make_key();
  auto made = certify({.common_name = "one.example"}, key.get());
  const unsigned char latin[] =
      "b\xfc"
      "cher.example";
  X509_NAME_add_entry_by_NID(X509_get_subject_name(made.get()), NID_commonName, V_ASN1_T61STRING,
                             latin, -1, -1, 0);
  REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  CHECK(describe_certificate(made.get()).common_name == "b\u00fccher.example");
  CHECK(describe_certificate(certify({.common_name = ""}, key.get()).get()).common_name.empty());
}

TEST_CASE("peer certificate: a name with a NUL in it is none") {
  const auto key = make_key();
  const auto common = certify({.common_name = "bank.example\0.evil.example"s}, key.get());
  CHECK(describe_certificate(common.get()).common_name.empty());
  CHECK(describe_certificate(common.get()).subject == "CN=bank.example\\00.evil.example");

  auto made = certify({}, key.get());
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  for (const auto& text : {"bank.example\0.evil.example"s, "mx.example"s}) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* string = ASN1_IA5STRING_new();
    ASN1_STRING_set(string, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME_set0_value(name, GEN_DNS, string);
    sk_GENERAL_NAME_push(names, name);
  }
  // Neither four bytes nor sixteen.
  GENERAL_NAME* address = GENERAL_NAME_new();
  ASN1_STRING* bytes = ASN1_OCTET_STRING_new();
  ASN1_STRING_set(bytes, "12345", 5);
  GENERAL_NAME_set0_value(address, GEN_IPADD, bytes);
  sk_GENERAL_NAME_push(names, address);
  REQUIRE(X509_add1_ext_i2d(made.get(), NID_subject_alt_name, names, 0, 0) == 1);
  GENERAL_NAMES_free(names);
  const auto seen = describe_certificate(made.get());
  CHECK(seen.dns_names == std::vector{"mx.example"s});
  CHECK(seen.addresses.empty());
}

TEST_CASE("peer certificate: an empty one is described without a crash") {
  const test::Certificate made(X509_new());
  const auto seen = describe_certificate(made.get());
  CHECK(seen.key_type == "unknown");
  CHECK(seen.not_before == 0);
  CHECK(seen.not_after == 0);
  CHECK(seen.common_name.empty());
}

TEST_CASE("peer certificate: a text of any length is cut, one of a wrong form is none") {
  const auto key = make_key();
  auto made = certify({}, key.get());
  X509_NAME* name = X509_get_subject_name(made.get());
  for (int i = 0; i < 40; ++i) {
    const unsigned char unit[] = "a-unit-of-an-organisation-with-a-long-name";
    X509_NAME_add_entry_by_NID(name, NID_organizationalUnitName, MBSTRING_ASC, unit, -1, -1, 0);
  }
  CHECK(describe_certificate(made.get()).subject.size() == 1000);

  // Four bytes a character, and there are three.
  const unsigned char broken[] = {0, 0, 'x'};
  REQUIRE(X509_NAME_ENTRY_set_data(X509_NAME_get_entry(name, 0), V_ASN1_UNIVERSALSTRING, broken,
                                   sizeof broken) == 1);
  CHECK(describe_certificate(made.get()).common_name.empty());
  CHECK(describe_certificate(made.get()).subject.empty());
}
