#include "src/net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

namespace net {
namespace {

// tls_medium_cipherlist of Postfix 3.7 as tls/tls_client.c has it at level verify.
constexpr const char* kNamedCiphers = "HIGH:MEDIUM:+RC4:@STRENGTH:!aNULL";
constexpr std::size_t kReadAtOnce = 16 * 1024;  // the largest TLS record

// The first error is the cause, the others what came of it.
std::string first_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "the TLS library does not say why" : reason;
}

}  // namespace

void free_tls_session(ssl_st* session) noexcept {
  SSL_free(session);
}

TlsSession::TlsSession(const TlsContext& context, Offer offer)
    : context_(context), session_(SSL_new(context.raw())) {
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (!session_ || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    refuse("out of memory");
    return;
  }
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(session_.get(), in, out);
  SSL_set_connect_state(session_.get());
  if (offer == Offer::NamedPeers && SSL_set_cipher_list(session_.get(), kNamedCiphers) != 1) {
    refuse(first_error());
  }
  SSL_set_msg_callback(session_.get(), on_message);
  SSL_set_msg_callback_arg(session_.get(), this);
}

// RFC 5246 7.4.1.1. The library declines it by itself, and would go on.
void TlsSession::on_message(int writes, int /*version*/, int type, const void* bytes,
                            std::size_t size, ssl_st* /*session*/, void* self) noexcept {
  auto* session = static_cast<TlsSession*>(self);
  if (writes != 0 || type != SSL3_RT_HANDSHAKE || size == 0 || !session->is_established_) return;
  if (*static_cast<const unsigned char*>(bytes) == SSL3_MT_HELLO_REQUEST) {
    session->is_asked_again_ = true;
  }
}

TlsSession::State TlsSession::start() {
  if (state_ != State::Handshake) return state_;
  ERR_clear_error();
  return go_on(SSL_do_handshake(session_.get()));
}

TlsSession::State TlsSession::receive(std::string_view bytes, std::string& plain) {
  if (state_ == State::Failed || state_ == State::Closed) return state_;
  received_ += bytes.size();
  if (received_ > kMostTlsBytes) return refuse("the peer sends more than 256 KiB");
  BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
  ERR_clear_error();
  if (state_ == State::Handshake) go_on(SSL_do_handshake(session_.get()));
  if (state_ == State::Open) read_plain(plain);
  if (is_asked_again_) return refuse("the peer asks for another handshake in the session");
  return state_;
}

void TlsSession::read_plain(std::string& plain) {
  std::array<char, kReadAtOnce> chunk;
  for (;;) {
    ERR_clear_error();
    const int got = SSL_read(session_.get(), chunk.data(), static_cast<int>(chunk.size()));
    if (got <= 0) {
      go_on(got);
      return;
    }
    plain.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

TlsSession::State TlsSession::send(std::string_view plain) {
  if (state_ != State::Open || plain.empty()) return state_;
  ERR_clear_error();
  return go_on(SSL_write(session_.get(), plain.data(), static_cast<int>(plain.size())));
}

std::string TlsSession::take_output() {
  std::string output;
  if (!session_) return output;
  std::array<char, kReadAtOnce> chunk;
  int got = 0;
  while ((got = BIO_read(SSL_get_wbio(session_.get()), chunk.data(),
                         static_cast<int>(chunk.size()))) > 0) {
    output.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return output;
}

PeerTls TlsSession::describe() const {
  return describe_peer(session_.get(), context_);
}

TlsSession::State TlsSession::go_on(int result) {
  if (result > 0) {
    state_ = State::Open;
    is_established_ = true;
    return state_;
  }
  const int error = SSL_get_error(session_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return state_;
  if (error == SSL_ERROR_ZERO_RETURN) {
    state_ = State::Closed;
    return state_;
  }
  // Of what the peer has not said a byte to, it is not the cause.
  return received_ == 0 ? refuse(first_error()) : fail(first_error());
}

TlsSession::State TlsSession::refuse(std::string why) {
  is_refusal_ = true;
  return fail(std::move(why));
}

TlsSession::State TlsSession::fail(std::string why) {
  fault_ = std::move(why);
  state_ = State::Failed;
  return state_;
}

}  // namespace net
