// Hellos that offer only what is obsolete, against OpenSSL's server in the same process, and
// answers that no library would give.
#include "src/wire/tls_hello.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

#include "src/base/handle.h"
#include "tests/unit/catch.h"

using wire::Malformed;
using wire::NeedMore;
using wire::parse_tls_answer;
using wire::TlsAnswer;
using wire::TlsChoice;
using wire::TlsOffer;
using wire::TlsRefusal;

namespace {

void free_key(EVP_PKEY* key) noexcept {
  EVP_PKEY_free(key);
}
void free_certificate(X509* certificate) noexcept {
  X509_free(certificate);
}
void free_context(SSL_CTX* context) noexcept {
  SSL_CTX_free(context);
}
void free_session(SSL* session) noexcept {
  SSL_free(session);
}

// What a server of these versions and ciphers answers.
std::string answer_of(TlsOffer offer, int oldest, int newest, const char* ciphers) {
  const base::Handle<EVP_PKEY, free_key> key(EVP_RSA_gen(2048));
  const base::Handle<X509, free_certificate> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  const base::Handle<SSL_CTX, free_context> context(SSL_CTX_new(TLS_server_method()));
  REQUIRE(SSL_CTX_set_cipher_list(context.get(), ciphers) == 1);
  SSL_CTX_set_min_proto_version(context.get(), oldest);
  SSL_CTX_set_max_proto_version(context.get(), newest);
  REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  const base::Handle<SSL, free_session> session(SSL_new(context.get()));
  SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(session.get());
  const auto hello = wire::make_client_hello(offer);
  BIO_write(SSL_get_rbio(session.get()), hello.data(), static_cast<int>(hello.size()));
  SSL_do_handshake(session.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(session.get()), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

TlsAnswer ask(TlsOffer offer, int oldest, int newest, const char* ciphers) {
  return parse_tls_answer(offer, answer_of(offer, oldest, newest, ciphers));
}

bool is_choice(const TlsAnswer& answer, const TlsChoice& expected) {
  const auto* choice = std::get_if<TlsChoice>(&answer);
  return choice != nullptr && *choice == expected;
}
bool is_refusal(const TlsAnswer& answer, std::uint8_t alert) {
  const auto* refusal = std::get_if<TlsRefusal>(&answer);
  return refusal != nullptr && refusal->alert == alert;
}

std::string server_hello(std::string version, std::string cipher, std::string session = {}) {
  std::string body = std::move(version) + std::string(32, 'r');
  body += static_cast<char>(session.size());
  body += session + std::move(cipher) + std::string(1, '\0');
  return std::string("\x02\x00\x00", 3) + static_cast<char>(body.size()) + body;
}
std::string record(char type, const std::string& content) {
  const std::string size{static_cast<char>(content.size() >> 8U),
                         static_cast<char>(content.size() & 0xffU)};
  return type + std::string("\x03\x01") + size + content;
}
const std::string kTls10 = "\x03\x01";
const std::string kRc4 = std::string("\0\x05", 2);

}  // namespace

TEST_CASE("tls hello: a server of TLS 1.0 or 1.1 agrees, one of TLS 1.2 and later says why not") {
  const auto offer = TlsOffer::OldProtocols;
  CHECK(is_choice(ask(offer, TLS1_VERSION, TLS1_VERSION, "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"),
                  {"TLSv1", "ECDHE-RSA-AES256-SHA"}));
  CHECK(is_choice(ask(offer, TLS1_1_VERSION, 0, "ALL:@SECLEVEL=0"),
                  {"TLSv1.1", "ECDHE-RSA-AES128-SHA"}));
  CHECK(
      is_choice(ask(offer, TLS1_VERSION, 0, "AES128-SHA:@SECLEVEL=0"), {"TLSv1.1", "AES128-SHA"}));
  CHECK(is_refusal(ask(offer, TLS1_2_VERSION, 0, "ALL:@SECLEVEL=0"), 70));
  CHECK(is_refusal(ask(offer, TLS1_3_VERSION, 0, "ALL:@SECLEVEL=0"), 70));
}

TEST_CASE("tls hello: a server with a broken cipher agrees, one without says so") {
  const auto offer = TlsOffer::BrokenCiphers;
  CHECK(is_choice(ask(offer, TLS1_2_VERSION, 0, "ECDHE-RSA-NULL-SHA:@SECLEVEL=0"),
                  {"TLSv1.2", "ECDHE-RSA-NULL-SHA"}));
  CHECK(is_choice(ask(offer, TLS1_VERSION, TLS1_VERSION, "NULL-MD5:@SECLEVEL=0"),
                  {"TLSv1", "NULL-MD5"}));
  CHECK(is_refusal(ask(offer, TLS1_VERSION, 0, "ALL:@SECLEVEL=0"), 40));
  CHECK(is_refusal(ask(offer, TLS1_3_VERSION, 0, "ALL:@SECLEVEL=0"), 70));
}

TEST_CASE("tls hello: every shorter answer is waited for, whatever pieces it comes in") {
  std::string pieces;
  const auto hello = server_hello(kTls10, kRc4, std::string(32, 's'));
  for (const char each : hello) pieces += record('\x16', std::string(1, each));
  const auto warned = record('\x15', "\x01\x70") + record('\x16', hello + "more");
  for (const auto& whole : {record('\x16', hello), pieces, warned}) {
    REQUIRE(is_choice(parse_tls_answer(TlsOffer::BrokenCiphers, whole), {"TLSv1", "RC4-SHA"}));
    bool is_decided = false;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto answer = parse_tls_answer(TlsOffer::BrokenCiphers, whole.substr(0, size));
      is_decided = is_decided || is_choice(answer, {"TLSv1", "RC4-SHA"});
      CHECK(std::holds_alternative<NeedMore>(answer) == !is_decided);
    }
  }
}

TEST_CASE("tls hello: what is no answer to it is known at once") {
  using namespace std::string_literals;
  const auto long_session = server_hello(kTls10, kRc4, std::string(33, 's'));
  for (const auto& wrong :
       {"4"s, "\x17"s, "\x16\x02"s, "\x15\x03\x01\x00\x03"s, "\x16\x03\x01\x00\x00"s,
        "\x16\x03\x01\x40\x01"s, "\x15\x03\x01\x00\x02\x03"s, record('\x16', "\x01"),
        record('\x16', server_hello("\x03\x03", kRc4)),
        record('\x16', server_hello("\x02\x00"s, kRc4)),
        record('\x16', server_hello(kTls10, "\x13\x01")), record('\x16', long_session)}) {
    CHECK(std::holds_alternative<Malformed>(parse_tls_answer(TlsOffer::OldProtocols, wrong)));
  }
  // Of the other offer this would be an answer.
  const auto sound = record('\x16', server_hello("\x03\x03", "\xc0\x14"));
  CHECK(std::holds_alternative<Malformed>(parse_tls_answer(TlsOffer::BrokenCiphers, sound)));
  std::string warnings;
  for (int i = 0; i < 5; ++i) warnings += record('\x15', "\x01\x70");
  CHECK(std::holds_alternative<Malformed>(parse_tls_answer(TlsOffer::BrokenCiphers, warnings)));
}

TEST_CASE("tls hello: a refusal has the alert's name") {
  CHECK(wire::alert_word(70) == "protocol_version");
  CHECK(wire::alert_word(200) == "alert 200");
  CHECK(is_refusal(
      parse_tls_answer(TlsOffer::OldProtocols, record('\x15', std::string("\x01\0", 2))), 0));
}
