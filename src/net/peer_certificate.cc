#include "src/net/peer_certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <string_view>

#include "src/base/sha256.h"

namespace net {
namespace {

// Longer texts are of no use to a reader; a chain may have 100 KiB.
constexpr std::size_t kLongestText = 1'000;

void free_names(GENERAL_NAMES* names) noexcept {
  GENERAL_NAMES_free(names);
}
void free_openssl(unsigned char* bytes) noexcept {
  OPENSSL_free(bytes);
}
using Names = base::Handle<GENERAL_NAMES, free_names>;
using Bytes = base::Handle<unsigned char, free_openssl>;

std::string_view view_of(const ASN1_STRING* string) {
  const void* bytes = ASN1_STRING_get0_data(string);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// Control characters are escaped, UTF-8 is kept.
std::string text_of(const X509_NAME* name) {
  const base::Handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  constexpr unsigned long kForm =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!out || X509_NAME_print_ex(out.get(), name, 0, kForm) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return size <= 0 ? std::string()
                   : std::string(bytes, static_cast<std::size_t>(size)).substr(0, kLongestText);
}

std::string common_name_of(const X509_NAME* name) {
  int at = -1;
  for (int next = at; (next = X509_NAME_get_index_by_NID(name, NID_commonName, next)) >= 0;) {
    at = next;
  }
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const Bytes owned(utf8);
  if (size < 0) return {};
  const void* bytes = utf8;
  const std::string text(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  return text.find('\0') == std::string::npos ? text.substr(0, kLongestText) : std::string();
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? std::string()
                                                                                : text.data();
}

void take_names(const X509* certificate, PeerCertificate& into) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto text = view_of(name->d.dNSName);
      // A NUL is an attack on whoever reads C strings.
      if (text.find('\0') == std::string_view::npos) into.dns_names.emplace_back(text);
    } else if (name->type == GEN_IPADD) {
      auto text = address_text(view_of(name->d.iPAddress));
      if (!text.empty()) into.addresses.push_back(std::move(text));
    }
  }
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

void take_key(const X509* certificate, PeerCertificate& into) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    into.key_type = "unknown";
    return;
  }
  into.key_bits = EVP_PKEY_get_bits(key);
  const char* name = EVP_PKEY_get0_type_name(key);
  into.key_type = name == nullptr ? "unknown" : name;
  std::array<char, 80> group{};
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
    into.key_type += std::string(" ") + group.data();
  }
}

template <class Encode>
std::string digest_of(Encode encode) {
  unsigned char* der = nullptr;
  const int size = encode(&der);
  const Bytes owned(der);
  if (size <= 0) return {};
  const void* bytes = der;
  return base::sha256_hex({static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
}

}  // namespace

PeerCertificate describe_certificate(x509_st* certificate) {
  PeerCertificate seen;
  seen.subject = text_of(X509_get_subject_name(certificate));
  seen.issuer = text_of(X509_get_issuer_name(certificate));
  seen.common_name = common_name_of(X509_get_subject_name(certificate));
  take_names(certificate, seen);
  seen.not_before = seconds_of(X509_get0_notBefore(certificate));
  seen.not_after = seconds_of(X509_get0_notAfter(certificate));
  take_key(certificate, seen);
  const char* signature = OBJ_nid2ln(X509_get_signature_nid(certificate));
  seen.signature = signature == nullptr ? "unknown" : signature;
  seen.digest = digest_of([&](unsigned char** der) { return i2d_X509(certificate, der); });
  seen.key_digest = digest_of(
      [&](unsigned char** der) { return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), der); });
  return seen;
}

}  // namespace net
