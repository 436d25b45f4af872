// The client's end of a TLS session against a server in the same process, without a socket.
#include "src/net/tls_session.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "src/base/handle.h"
#include "tests/unit/made_certificate.h"

using State = net::TlsSession::State;

namespace {

// The memory of the TLS library: so many allocations succeed, then none.
constexpr int kUnlimited = -1;
int allocations_left = kUnlimited;
bool may_allocate() {
  if (allocations_left == kUnlimited) return true;
  if (allocations_left == 0) return false;
  --allocations_left;
  return true;
}
void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  return may_allocate() ? std::malloc(size) : nullptr;
}
void* allocate_again(void* old, std::size_t size, const char* /*file*/, int /*line*/) {
  return may_allocate() ? std::realloc(old, size) : nullptr;
}
void release(void* old, const char* /*file*/, int /*line*/) {
  std::free(old);
}
// Before its first allocation, or it takes no others.
const bool kIsLimited = CRYPTO_set_mem_functions(allocate, allocate_again, release) == 1;

// The other end.
class ServerEnd {
 public:
  explicit ServerEnd(int version) : context_(SSL_CTX_new(TLS_server_method())) {
    const auto key = test::make_key();
    const auto certificate = test::certify({}, key.get());
    SSL_CTX_set_max_proto_version(context_.get(), version);
    REQUIRE(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1);
    session_.reset(SSL_new(context_.get()));
    SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(session_.get());
  }

  void take(std::string_view bytes) {
    BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_is_init_finished(session_.get()) == 0) SSL_do_handshake(session_.get());
  }
  void say(std::string_view text) {
    REQUIRE(SSL_write(session_.get(), text.data(), static_cast<int>(text.size())) > 0);
  }
  std::string hear() {
    std::array<char, 1000> text{};
    const int got = SSL_read(session_.get(), text.data(), static_cast<int>(text.size()));
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
  }
  void ask_again() {
    REQUIRE(SSL_renegotiate(session_.get()) == 1);
    SSL_do_handshake(session_.get());
  }
  void leave() { SSL_shutdown(session_.get()); }

  std::string output() {
    char* bytes = nullptr;
    BIO* out = SSL_get_wbio(session_.get());
    const long size = BIO_get_mem_data(out, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(out);
    return taken;
  }

 private:
  base::Handle<SSL_CTX, net::free_tls_context> context_;
  base::Handle<SSL, net::free_tls_session> session_;
};

struct Rig {
  explicit Rig(int version = TLS1_3_VERSION) : server(version) {
    REQUIRE(context.ok());
    session.emplace(*context);
  }
  // What the server has said since, in pieces of `piece` bytes.
  State deliver(std::size_t piece = 100'000) {
    const auto bytes = server.output();
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      session->receive(std::string_view(bytes).substr(at, piece), plain);
    }
    return session->state();
  }
  void shake_hands(std::size_t piece = 100'000) {
    session->start();
    for (int i = 0; i < 4 && session->state() == State::Handshake; ++i) {
      server.take(session->take_output());
      deliver(piece);
    }
    server.take(session->take_output());
    REQUIRE(session->state() == State::Open);
  }

  base::Result<net::TlsContext> context = net::TlsContext::make("");
  std::optional<net::TlsSession> session;
  ServerEnd server;
  std::string plain;
};

}  // namespace

TEST_CASE("tls session: both ends understand each other, in pieces of any size") {
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100'000});
  Rig rig(version);
  rig.shake_hands(piece);
  CHECK(rig.session->send("EHLO us\r\n") == State::Open);
  rig.server.take(rig.session->take_output());
  CHECK(rig.server.hear() == "EHLO us\r\n");
  rig.server.say("250 mx\r\n");
  CHECK(rig.deliver(piece) == State::Open);
  CHECK(rig.plain == "250 mx\r\n");
}

TEST_CASE("tls session: the peer is described as it is") {
  Rig rig(TLS1_2_VERSION);
  rig.shake_hands();
  const auto peer = rig.session->describe();
  CHECK(peer.protocol == "TLSv1.2");
  CHECK(peer.is_above_level_1);
  REQUIRE(peer.chain.size() == 1);
  CHECK(peer.verdict == net::ChainVerdict::SelfSigned);
  CHECK(peer.chain.front().common_name == "mx.example");
  CHECK(peer.chain.front().key_type == "EC prime256v1");
  CHECK(peer.chain.front().key_bits == 256);
  CHECK(peer.chain.front().digest.size() == 64);
  CHECK(peer.chain.front().digest != peer.chain.front().key_digest);
}

TEST_CASE("tls session: a second handshake is refused") {
  Rig rig(TLS1_2_VERSION);
  rig.shake_hands();
  rig.server.ask_again();
  CHECK(rig.deliver() == State::Failed);
  CHECK(rig.session->is_refusal());
  CHECK_FALSE(rig.session->fault().empty());
}

TEST_CASE("tls session: bytes that are no TLS fail it for good, by the peer's fault") {
  Rig rig;
  rig.session->start();
  CHECK(rig.session->receive("250 not TLS\r\n", rig.plain) == State::Failed);
  CHECK_FALSE(rig.session->is_refusal());
  CHECK(rig.session->fault() == "wrong version number");
  CHECK(rig.session->receive("more", rig.plain) == State::Failed);
  CHECK(rig.plain.empty());
}

TEST_CASE("tls session: a want of memory on our side is not the peer's fault") {
  REQUIRE(kIsLimited);
  const auto context = net::TlsContext::make("");
  REQUIRE(context.ok());
  int failed = 0;
  for (int left = 0; left < 200; ++left) {
    CAPTURE(left);
    allocations_left = left;
    net::TlsSession session(*context, net::TlsSession::Offer::NamedPeers);
    const auto state = session.start();
    allocations_left = kUnlimited;
    if (state != State::Failed) continue;
    ++failed;
    CHECK(session.is_refusal());
    CHECK_FALSE(session.fault().empty());
  }
  CHECK(failed > 1);
}

TEST_CASE("tls session: more than 256 KiB are refused") {
  Rig rig;
  rig.shake_hands();
  const std::string much(16'000, 'a');
  for (int i = 0; i < 20 && rig.session->state() == State::Open; ++i) {
    rig.server.say(much);
    rig.deliver();
  }
  CHECK(rig.session->is_refusal());
  CHECK(rig.plain.size() <= net::kMostTlsBytes);
}

TEST_CASE("tls session: a peer that says goodbye has closed it") {
  Rig rig;
  rig.shake_hands();
  rig.server.leave();
  CHECK(rig.deliver() == State::Closed);
}

TEST_CASE("tls context: a file of authorities without any is an error that names it") {
  const auto made = net::TlsContext::make("/dev/null");
  REQUIRE_FALSE(made.ok());
  CHECK_THAT(made.error(), Catch::Matchers::ContainsSubstring("/dev/null"));
}
