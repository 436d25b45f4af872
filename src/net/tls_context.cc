#include "src/net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace net {
namespace {

// tls_medium_cipherlist of Postfix 3.7, the grade of smtp_tls_ciphers and its mandatory brother,
// but with the anonymous ones behind all others.
constexpr const char* kMediumCiphers = "HIGH:MEDIUM:+RC4:@STRENGTH:+aNULL";
// OpenSSL's own limit for the certificates of a peer together, said here so that it stays one.
constexpr long kLargestChain = 100L * 1024;

// The chain is judged afterwards, as a whole: a handshake must not end for it.
int accept_any(X509_STORE_CTX* /*chain*/, void* /*unused*/) {
  return 1;
}

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

bool set_up(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_options(context, SSL_OP_ALL | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, kLargestChain);
  SSL_CTX_set_cert_verify_callback(context, accept_any, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, kMediumCiphers) == 1;
}

}  // namespace

void free_tls_context(ssl_ctx_st* context) noexcept {
  SSL_CTX_free(context);
}
void free_authorities(x509_store_st* store) noexcept {
  X509_STORE_free(store);
}

base::Result<TlsContext> TlsContext::make(const std::string& ca_file) {
  TlsContext made;
  made.context_.reset(SSL_CTX_new(TLS_client_method()));
  made.authorities_.reset(X509_STORE_new());
  if (!made.context_ || !made.authorities_ || !set_up(made.context_.get())) {
    return base::Error{fmt::format("the TLS library cannot be set up: {}", last_error())};
  }
  if (ca_file.empty()) {
    X509_STORE_set_default_paths(made.authorities_.get());
    ERR_clear_error();  // a host without any authorities is one whose peers are all untrusted
  } else if (X509_STORE_load_file(made.authorities_.get(), ca_file.c_str()) != 1) {
    return base::Error{fmt::format("tls_ca_file {}: it holds no certificates that can be read: {}",
                                   ca_file, last_error())};
  }
  return made;
}

}  // namespace net
