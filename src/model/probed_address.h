// What a probe saw of one address: every step of the conversation, and what came of it. Data only;
// which profiles would deliver there is decided in engine/would_deliver. All texts may be the
// peer's: they are filtered where they are shown.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/cause.h"
#include "src/model/seen_certificate.h"

namespace model {

enum class ProbeStage : std::uint8_t {
  Connect,
  Banner,
  Ehlo,
  Starttls,
  Handshake,
  EhloInTls,
  MailFrom,  // without TLS, of a probe that asks whether the peer refuses that
  Quit,
};
// "connect", "ehlo-in-tls".
std::string_view to_word(ProbeStage stage);

struct ProbeStep {
  enum class Kind : std::uint8_t { Sent, Received, Note };
  std::chrono::milliseconds at{};  // since the probe of this address began
  ProbeStage stage = ProbeStage::Connect;
  Kind kind = Kind::Note;
  std::string text;  // lines of a reply with a line feed between them
  bool operator==(const ProbeStep&) const = default;
};
std::string_view to_word(ProbeStep::Kind kind);

// Whether anybody whom we trust vouches for a chain, its names aside.
enum class ChainTrust : std::uint8_t {
  Trusted,
  SelfSigned,       // the peer's own signature and no other
  UntrustedIssuer,  // a chain up to its root, which we do not trust
  Incomplete,       // an issuer was not sent, and is none that we trust
  Expired,
  NotYetValid,
  TooWeak,  // a key or a digest below what OpenSSL's security level 1 takes
  Faulty,   // any other reason; the text says it
  NoCertificate,
};
inline constexpr std::array kChainTrusts{
    ChainTrust::Trusted,    ChainTrust::SelfSigned, ChainTrust::UntrustedIssuer,
    ChainTrust::Incomplete, ChainTrust::Expired,    ChainTrust::NotYetValid,
    ChainTrust::TooWeak,    ChainTrust::Faulty,     ChainTrust::NoCertificate};
std::string_view to_word(ChainTrust trust);
std::optional<ChainTrust> parse_chain_trust(std::string_view word);

struct SeenTls {
  std::string protocol;  // "TLSv1.3"
  std::string cipher;
  int bits = 0;              // of the secret key
  std::string key_exchange;  // "X25519", "P-256", "RSA"; empty: not told
  int key_exchange_bits = 0;
  // Above OpenSSL's security level 1, which Postfix asks for wherever it looks at the certificate
  // (tls/tls_client.c): no TLS before 1.2, no SHA-1 in the handshake, no anonymous key exchange.
  bool is_fit_to_authenticate = false;
  std::vector<SeenCertificate> chain;  // as sent: the peer's own first
  ChainTrust trust = ChainTrust::NoCertificate;
  std::string trust_text;  // OpenSSL's words for it
  bool operator==(const SeenTls&) const = default;
};

// What MAIL FROM without TLS was answered with.
enum class PlainMail : std::uint8_t {
  NotAsked,
  Accepted,
  Refused,  // for want of TLS, as far as the reply says
  Unclear,  // put off, refused for another reason, or no answer
};
std::string_view to_word(PlainMail answer);

// What became of an offer of nothing but obsolete protocols, or broken ciphers.
struct WeakTrial {
  enum class Answer : std::uint8_t {
    NotTried,
    Taken,  // protocol and cipher say what
    Refused,
    Unclear,  // put off, silent, or no answer to it
  };
  Answer answer = Answer::NotTried;
  std::string protocol;  // "TLSv1"
  std::string cipher;
  std::string text;  // of a refusal or an unclear answer: how
  bool operator==(const WeakTrial&) const = default;
};
std::string_view to_word(WeakTrial::Answer answer);

struct ProbedAddress {
  std::vector<ProbeStep> steps;
  std::string banner;
  std::vector<std::string> capabilities;         // before TLS
  std::vector<std::string> capabilities_in_tls;  // the only ones that count in it
  bool has_spoken = false;                       // EHLO or HELO was answered with 2xx, in clear
  bool was_offered = false;                      // STARTTLS stood in the reply to EHLO
  bool is_crossed_out = false;                   // a capability came back as X's
  int starttls_code = 0;                         // the reply to STARTTLS; 0: none
  // {Unknown, nothing} until something shows more: a peer that puts us off is "unknown".
  Outcome outcome;
  std::string trouble;  // one sentence where it did not come to a working TLS session
  std::optional<SeenTls> tls;
  PlainMail plain_mail = PlainMail::NotAsked;
  std::string plain_mail_reply;
  WeakTrial old_protocols;   // TLS 1.1 and older
  WeakTrial broken_ciphers;  // wire/tls_hello.h lists them
};

}  // namespace model
