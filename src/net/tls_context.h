// What all TLS sessions of this process share, as a client of SMTP servers: the library's settings,
// and the authorities that are believed.
//
// The settings are those of smtp(8) at level encrypt (tls/tls_client.c): TLS 1.0 is taken, so are
// anonymous ciphers, and OpenSSL's own openssl.cnf holds nobody back. But those are wished for
// last: a peer that has a certificate shall show it, as it would at level verify, where smtp(8)
// offers no anonymous cipher. A probe has to see what a peer does; whether it is enough is decided
// elsewhere. No server name is sent, as smtp(8) sends none by default [O 6].
#pragma once

#include <string>

#include "src/base/handle.h"
#include "src/base/result.h"

struct ssl_ctx_st;
struct x509_store_st;

namespace net {

void free_tls_context(ssl_ctx_st* context) noexcept;
void free_authorities(x509_store_st* store) noexcept;

class TlsContext {
 public:
  // Believes the authorities in `ca_file` (PEM), or the system's own where it is empty. Reading
  // those takes some 50 ms: once a process.
  static base::Result<TlsContext> make(const std::string& ca_file);

  [[nodiscard]] ssl_ctx_st* raw() const { return context_.get(); }
  [[nodiscard]] x509_store_st* authorities() const { return authorities_.get(); }

 private:
  TlsContext() = default;

  base::Handle<ssl_ctx_st, free_tls_context> context_;
  base::Handle<x509_store_st, free_authorities> authorities_;
};

}  // namespace net
