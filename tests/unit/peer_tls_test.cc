// What is said of a peer's chain of certificates, in sessions without a socket.
#include "src/net/peer_tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/unit/made_certificate.h"

using net::ChainVerdict;
using test::Certificate;
using test::certify;
using test::Key;
using test::make_key;

namespace {

void free_session(SSL* session) noexcept {
  SSL_free(session);
}
using Session = base::Handle<SSL, free_session>;

struct Named {
  Key key;
  Certificate certificate;
};

Named make_root(const std::string& name, Key key = make_key()) {
  auto certificate = certify({.common_name = name, .is_authority = true}, key.get());
  return {std::move(key), std::move(certificate)};
}

Named issue(const Named& by, const test::Wishes& wishes, Key key = make_key()) {
  auto certificate = certify(wishes, key.get(), by.certificate.get(), by.key.get());
  return {std::move(key), std::move(certificate)};
}

net::TlsContext trusting(const Named& root) {
  char path[] = "/tmp/peer-tls-test-XXXXXX";
  const base::UniqueFd fd(::mkstemp(path));
  std::FILE* file = ::fdopen(::dup(fd.get()), "w");
  PEM_write_X509(file, root.certificate.get());
  std::fclose(file);
  auto context = net::TlsContext::make(path);
  ::unlink(path);
  REQUIRE(context.ok());
  return std::move(*context);
}

// Both ends in turn, until each has finished.
net::PeerTls meet(const net::TlsContext& context, const Named& leaf,
                  const std::vector<X509*>& intermediates = {}) {
  const base::Handle<SSL_CTX, net::free_tls_context> serving(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(serving.get(), 0);
  REQUIRE(SSL_CTX_use_certificate(serving.get(), leaf.certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(serving.get(), leaf.key.get()) == 1);
  for (X509* each : intermediates) REQUIRE(SSL_CTX_add1_chain_cert(serving.get(), each) == 1);
  const Session server(SSL_new(serving.get()));
  const Session client(SSL_new(context.raw()));
  BIO* one = nullptr;
  BIO* other = nullptr;
  REQUIRE(BIO_new_bio_pair(&one, 65'536, &other, 65'536) == 1);
  SSL_set_bio(client.get(), one, one);
  SSL_set_bio(server.get(), other, other);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  for (int i = 0; i < 5; ++i) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  REQUIRE(SSL_is_init_finished(client.get()) == 1);
  return net::describe_peer(client.get(), context);
}

}  // namespace

TEST_CASE("peer tls: a chain that leads to an authority is trusted") {
  const auto root = make_root("Root");
  const auto between = issue(root, {.common_name = "Between", .is_authority = true});
  const auto leaf = issue(between, {});
  const auto context = trusting(root);
  const auto seen = meet(context, leaf, {between.certificate.get()});
  CHECK(seen.verdict == ChainVerdict::Trusted);
  REQUIRE(seen.chain.size() == 2);
  CHECK(seen.chain[0].common_name == "mx.example");
  CHECK(seen.chain[1].common_name == "Between");
  CHECK(seen.protocol == "TLSv1.3");
  CHECK(seen.is_above_level_1);

  SECTION("without what stands between it is incomplete") {
    const auto alone = meet(context, leaf);
    CHECK(alone.verdict == ChainVerdict::Incomplete);
    CHECK(alone.chain.size() == 1);
  }
}

TEST_CASE("peer tls: why a chain is not trusted") {
  const auto root = make_root("Root");
  const auto context = trusting(root);
  CHECK(meet(context, make_root("mx.example")).verdict == ChainVerdict::SelfSigned);
  CHECK(meet(context, issue(root, {.begins = -7200, .ends = -3600})).verdict ==
        ChainVerdict::Expired);
  CHECK(meet(context, issue(root, {.begins = 3600})).verdict == ChainVerdict::NotYetValid);

  const auto stranger = make_root("Stranger");
  const auto theirs = issue(stranger, {});
  CHECK(meet(context, theirs).verdict == ChainVerdict::Incomplete);
  CHECK(meet(context, theirs, {stranger.certificate.get()}).verdict ==
        ChainVerdict::UntrustedIssuer);
  // An authority that may be none.
  const auto plain = issue(root, {.common_name = "No authority"});
  CHECK(meet(context, issue(plain, {}), {plain.certificate.get()}).verdict == ChainVerdict::Faulty);
}

TEST_CASE("peer tls: keys that are too small, of the peer and of who vouches for it") {
  const auto root = make_root("Root");
  const auto context = trusting(root);
  const auto small = issue(root, {}, Key(EVP_RSA_gen(768)));
  CHECK(meet(context, small).verdict == ChainVerdict::TooWeak);

  const auto between =
      issue(root, {.common_name = "Between", .is_authority = true}, Key(EVP_RSA_gen(768)));
  CHECK(meet(context, issue(between, {}), {between.certificate.get()}).verdict ==
        ChainVerdict::TooWeak);
}
