#include "src/net/peer_tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "src/net/peer_certificate.h"

namespace net {
namespace {

// What smtp(8) has wherever it looks at the certificate (tls/tls_client.c, tls_client_start()).
constexpr int kAuthenticatedLevel = 1;
constexpr int kDeepest = 9;  // smtp_tls_scert_verifydepth

void free_key(EVP_PKEY* key) noexcept {
  EVP_PKEY_free(key);
}
void free_certificate(X509* certificate) noexcept {
  X509_free(certificate);
}
void free_verification(X509_STORE_CTX* verification) noexcept {
  X509_STORE_CTX_free(verification);
}

ChainVerdict verdict_of(int error) {
  switch (error) {
    case X509_V_OK:
      return ChainVerdict::Trusted;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return ChainVerdict::SelfSigned;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return ChainVerdict::UntrustedIssuer;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return ChainVerdict::Incomplete;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return ChainVerdict::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return ChainVerdict::NotYetValid;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return ChainVerdict::TooWeak;
    default:  // an int of OpenSSL's, no enum of ours
      return ChainVerdict::Faulty;
  }
}

void judge_chain(SSL* session, X509* leaf, const TlsContext& context, PeerTls& into) {
  const base::Handle<X509_STORE_CTX, free_verification> check(X509_STORE_CTX_new());
  if (!check || X509_STORE_CTX_init(check.get(), context.authorities(), leaf,
                                    SSL_get_peer_cert_chain(session)) != 1) {
    into.verdict = ChainVerdict::Faulty;
    into.verdict_text = "the TLS library could not judge it";
    return;
  }
  X509_STORE_CTX_set_default(check.get(), "ssl_server");
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(check.get());
  X509_VERIFY_PARAM_set_auth_level(rules, kAuthenticatedLevel);
  X509_VERIFY_PARAM_set_depth(rules, kDeepest);
  const bool is_trusted = X509_verify_cert(check.get()) == 1;
  const int error = X509_STORE_CTX_get_error(check.get());
  into.verdict = is_trusted           ? ChainVerdict::Trusted
                 : error == X509_V_OK ? ChainVerdict::Faulty
                                      : verdict_of(error);
  into.verdict_text = X509_verify_cert_error_string(error);
  ERR_clear_error();
}

void take_chain(SSL* session, const TlsContext& context, PeerTls& into) {
  const base::Handle<X509, free_certificate> leaf(SSL_get1_peer_certificate(session));
  if (!leaf) return;
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(session);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    into.chain.push_back(describe_certificate(sk_X509_value(sent, i)));
  }
  judge_chain(session, leaf.get(), context, into);
}

void take_key_exchange(SSL* session, PeerTls& into) {
  EVP_PKEY* raw = nullptr;
  if (SSL_get_peer_tmp_key(session, &raw) != 1) {
    // No key of the session's own: the certificate's carries the secret.
    const SSL_CIPHER* cipher = SSL_get_current_cipher(session);
    if (SSL_CIPHER_get_kx_nid(cipher) == NID_kx_rsa) into.key_exchange = "RSA";
    return;
  }
  const base::Handle<EVP_PKEY, free_key> key(raw);
  const char* name = EVP_PKEY_get0_type_name(raw);
  into.key_exchange = name == nullptr ? "" : name;
  into.key_exchange_bits = EVP_PKEY_get_bits(raw);
  std::array<char, 80> group{};
  if (EVP_PKEY_is_a(raw, "EC") == 1 &&
      EVP_PKEY_get_group_name(raw, group.data(), group.size(), nullptr) == 1) {
    into.key_exchange = group.data();
  }
}

bool is_above_level_1(SSL* session) {
  // At level 1 OpenSSL 3 has no TLS before 1.2, for the sake of SHA-1 in its handshake.
  if (SSL_version(session) < TLS1_2_VERSION) return false;
  if (SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(session)) == NID_auth_null) return false;
  int digest = NID_undef;
  return SSL_get_peer_signature_nid(session, &digest) != 1 ||
         (digest != NID_sha1 && digest != NID_md5 && digest != NID_md5_sha1);
}

}  // namespace

PeerTls describe_peer(ssl_st* session, const TlsContext& context) {
  PeerTls seen;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(session);
  seen.protocol = SSL_get_version(session);
  seen.cipher = SSL_CIPHER_get_name(cipher);
  seen.bits = SSL_CIPHER_get_bits(cipher, nullptr);
  take_key_exchange(session, seen);
  seen.is_above_level_1 = is_above_level_1(session);
  take_chain(session, context, seen);
  return seen;
}

}  // namespace net
