// Certificates of every kind, made on the spot by the TLS library itself.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>

#include "src/base/handle.h"
#include "tests/unit/catch.h"

namespace test {

inline void free_key(EVP_PKEY* key) noexcept {
  EVP_PKEY_free(key);
}
inline void free_certificate(X509* certificate) noexcept {
  X509_free(certificate);
}
inline void free_extension(X509_EXTENSION* extension) noexcept {
  X509_EXTENSION_free(extension);
}
using Key = base::Handle<EVP_PKEY, free_key>;
using Certificate = base::Handle<X509, free_certificate>;

inline Key make_key() {
  return Key(EVP_EC_gen("P-256"));
}

struct Wishes {
  std::string common_name = "mx.example";
  int name_type = MBSTRING_UTF8;
  std::string alternatives{};  // x509v3_config(5): "DNS:mx.example,IP:192.0.2.1"
  long begins = -60;           // seconds from now
  long ends = 86'400;
  bool is_authority = false;
};

inline void add_extension(X509* certificate, int kind, const std::string& value) {
  const base::Handle<X509_EXTENSION, free_extension> made(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  REQUIRE(made);
  REQUIRE(X509_add_ext(certificate, made.get(), -1) == 1);
}

// By `issuer` and its key; by itself without.
inline Certificate certify(const Wishes& wishes, EVP_PKEY* key, X509* issuer = nullptr,
                           EVP_PKEY* issuer_key = nullptr) {
  static long serial = 1;
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
  X509_NAME* name = X509_get_subject_name(made.get());
  if (!wishes.common_name.empty()) {
    const void* text = wishes.common_name.data();
    REQUIRE(X509_NAME_add_entry_by_NID(name, NID_commonName, wishes.name_type,
                                       static_cast<const unsigned char*>(text),
                                       static_cast<int>(wishes.common_name.size()), -1, 0) == 1);
  }
  X509_set_issuer_name(made.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wishes.begins);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wishes.ends);
  X509_set_pubkey(made.get(), key);
  if (!wishes.alternatives.empty()) {
    add_extension(made.get(), NID_subject_alt_name, wishes.alternatives);
  }
  if (wishes.is_authority) add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  REQUIRE(X509_sign(made.get(), issuer_key == nullptr ? key : issuer_key, EVP_sha256()) > 0);
  return made;
}

}  // namespace test
