#include "src/wire/tls_hello.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace wire {
namespace {

// Record and handshake types, RFC 5246 6.2.1 and 7.4.
constexpr unsigned kAlert = 21;
constexpr unsigned kHandshake = 22;
constexpr unsigned kClientHello = 1;
constexpr unsigned kServerHello = 2;
constexpr unsigned kWarning = 1;
constexpr unsigned kFatal = 2;
constexpr unsigned kCloseNotify = 0;

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kLargestRecord = 1U << 14U;
constexpr std::size_t kMostWarnings = 4;
// Up to the cipher: header, version, random, session ID and its length.
constexpr std::size_t kHandshakeHeader = 4;
constexpr std::size_t kRandom = 32;
constexpr std::size_t kBeforeSession = kHandshakeHeader + 2 + kRandom;
constexpr std::size_t kLongestSession = 32;

constexpr unsigned kTls12 = 0x0303;
constexpr std::array<std::pair<unsigned, std::string_view>, 4> kProtocols{
    {{0x0300, "SSLv3"}, {0x0301, "TLSv1"}, {0x0302, "TLSv1.1"}, {kTls12, "TLSv1.2"}}};

struct Cipher {
  unsigned id;
  std::string_view name;
};
constexpr std::array kBroken{
    Cipher{0x0001, "NULL-MD5"},
    Cipher{0x0002, "NULL-SHA"},
    Cipher{0x003b, "NULL-SHA256"},
    Cipher{0xc006, "ECDHE-ECDSA-NULL-SHA"},
    Cipher{0xc010, "ECDHE-RSA-NULL-SHA"},
    Cipher{0x0003, "EXP-RC4-MD5"},
    Cipher{0x0006, "EXP-RC2-CBC-MD5"},
    Cipher{0x0008, "EXP-DES-CBC-SHA"},
    Cipher{0x0014, "EXP-EDH-RSA-DES-CBC-SHA"},
    Cipher{0x0009, "DES-CBC-SHA"},
    Cipher{0x0015, "EDH-RSA-DES-CBC-SHA"},
    Cipher{0x0004, "RC4-MD5"},
    Cipher{0x0005, "RC4-SHA"},
    Cipher{0xc007, "ECDHE-ECDSA-RC4-SHA"},
    Cipher{0xc011, "ECDHE-RSA-RC4-SHA"},
    Cipher{0x0007, "IDEA-CBC-SHA"},
    Cipher{0x000a, "DES-CBC3-SHA"},
    Cipher{0x0016, "DHE-RSA-DES-CBC3-SHA"},
    Cipher{0xc008, "ECDHE-ECDSA-DES-CBC3-SHA"},
    Cipher{0xc012, "ECDHE-RSA-DES-CBC3-SHA"},
};
// What else there was before TLS 1.2.
constexpr std::array kOld{
    Cipher{0xc009, "ECDHE-ECDSA-AES128-SHA"},
    Cipher{0xc00a, "ECDHE-ECDSA-AES256-SHA"},
    Cipher{0xc013, "ECDHE-RSA-AES128-SHA"},
    Cipher{0xc014, "ECDHE-RSA-AES256-SHA"},
    Cipher{0x0033, "DHE-RSA-AES128-SHA"},
    Cipher{0x0039, "DHE-RSA-AES256-SHA"},
    Cipher{0x002f, "AES128-SHA"},
    Cipher{0x0035, "AES256-SHA"},
    Cipher{0x0041, "CAMELLIA128-SHA"},
    Cipher{0x0084, "CAMELLIA256-SHA"},
    Cipher{0x0096, "SEED-SHA"},
};
// RFC 5746 3.3: a server may want to hear that we know of safe renegotiation.
constexpr unsigned kSafeRenegotiation = 0x00ff;

constexpr std::array<unsigned, 4> kGroups{29, 23, 24, 25};  // X25519, P-256, P-384, P-521
// Of RSA and ECDSA, SHA-1 among them: what fails shall fail for the cipher.
constexpr std::array<unsigned, 11> kSignatures{0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806,
                                               0x0401, 0x0501, 0x0601, 0x0203, 0x0201};

// Where others have random bytes.
constexpr std::string_view kNothingRandom = "no session comes of this hello..";
static_assert(kNothingRandom.size() == kRandom);

unsigned newest_of(TlsOffer offer) {
  return offer == TlsOffer::OldProtocols ? 0x0302 : kTls12;
}

void append_number(std::string& to, std::size_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    to += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU);
  }
}

// `content` with its length before it.
void append_counted(std::string& to, std::string_view content, int bytes) {
  append_number(to, content.size(), bytes);
  to += content;
}

template <class Numbers>
std::string list_of(const Numbers& numbers) {
  std::string plain;
  for (const unsigned number : numbers) append_number(plain, number, 2);
  std::string counted;
  append_counted(counted, plain, 2);
  return counted;
}

std::string ciphers_of(TlsOffer offer) {
  std::string plain;
  if (offer == TlsOffer::OldProtocols) {
    for (const auto& cipher : kOld) append_number(plain, cipher.id, 2);
  }
  for (const auto& cipher : kBroken) append_number(plain, cipher.id, 2);
  append_number(plain, kSafeRenegotiation, 2);
  std::string counted;
  append_counted(counted, plain, 2);
  return counted;
}

// RFC 8422 5.1, RFC 5246 7.4.1.4.1.
std::string extensions_of(TlsOffer offer) {
  std::string all;
  const auto add = [&](std::size_t kind, std::string_view content) {
    append_number(all, kind, 2);
    append_counted(all, content, 2);
  };
  add(10, list_of(kGroups));
  add(11, std::string_view("\x01\x00", 2));  // points uncompressed
  if (newest_of(offer) == kTls12) add(13, list_of(kSignatures));
  std::string counted;
  append_counted(counted, all, 2);
  return counted;
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
unsigned pair_at(std::string_view bytes, std::size_t at) {
  return (byte_at(bytes, at) << 8U) | byte_at(bytes, at + 1);
}

std::string_view cipher_name(TlsOffer offer, unsigned id) {
  const auto has_id = [&](const Cipher& cipher) { return cipher.id == id; };
  if (const auto* at = std::find_if(kBroken.begin(), kBroken.end(), has_id); at != kBroken.end()) {
    return at->name;
  }
  if (offer == TlsOffer::BrokenCiphers) return {};
  const auto* at = std::find_if(kOld.begin(), kOld.end(), has_id);
  return at == kOld.end() ? std::string_view() : at->name;
}

std::string_view protocol_name(TlsOffer offer, unsigned version) {
  if (version > newest_of(offer)) return {};
  const auto* at = std::find_if(kProtocols.begin(), kProtocols.end(),
                                [&](const auto& each) { return each.first == version; });
  return at == kProtocols.end() ? std::string_view() : at->second;
}

// The handshake messages as far as they are there.
TlsAnswer parse_server_hello(TlsOffer offer, std::string_view message) {
  if (message.empty()) return NeedMore{};
  if (byte_at(message, 0) != kServerHello) return Malformed{"its first message is no ServerHello"};
  if (message.size() < kHandshakeHeader + 2) return NeedMore{};
  const auto protocol = protocol_name(offer, pair_at(message, kHandshakeHeader));
  if (protocol.empty()) return Malformed{"it chooses a protocol that was not offered"};
  if (message.size() <= kBeforeSession) return NeedMore{};
  const std::size_t session = byte_at(message, kBeforeSession);
  if (session > kLongestSession) return Malformed{"its session ID is too long"};
  const std::size_t at = kBeforeSession + 1 + session;
  if (message.size() < at + 2) return NeedMore{};
  const auto cipher = cipher_name(offer, pair_at(message, at));
  if (cipher.empty()) return Malformed{"it chooses a cipher that was not offered"};
  return TlsChoice{protocol, cipher};
}

struct Record {
  unsigned type = 0;
  std::string_view content;  // as far as it is there
  std::size_t size = 0;      // of all of it
};
using ParsedRecord = std::variant<NeedMore, Record, Malformed>;

ParsedRecord parse_record(std::string_view bytes) {
  if (bytes.empty()) return NeedMore{};
  const unsigned type = byte_at(bytes, 0);
  if (type != kAlert && type != kHandshake) return Malformed{"it does not answer in TLS"};
  if (bytes.size() >= 2 && byte_at(bytes, 1) != 3) return Malformed{"it does not answer in TLS"};
  if (bytes.size() < kRecordHeader) return NeedMore{};
  const std::size_t size = pair_at(bytes, 3);
  const bool fits = type == kAlert ? size == 2 : size > 0 && size <= kLargestRecord;
  if (!fits) return Malformed{"a record of it has a wrong length"};
  return Record{type, bytes.substr(kRecordHeader, size), size};
}

// Nothing for a warning, after which the handshake goes on.
std::optional<TlsAnswer> read_alert(std::string_view content) {
  if (content.empty()) return NeedMore{};
  const unsigned level = byte_at(content, 0);
  if (level != kWarning && level != kFatal) return Malformed{"an alert of it has no level"};
  if (content.size() < 2) return NeedMore{};
  const unsigned alert = byte_at(content, 1);
  if (level == kWarning && alert != kCloseNotify) return std::nullopt;
  return TlsRefusal{static_cast<std::uint8_t>(alert)};
}

}  // namespace

std::string make_client_hello(TlsOffer offer) {
  std::string hello;
  append_number(hello, newest_of(offer), 2);
  hello += kNothingRandom;
  append_counted(hello, {}, 1);
  hello += ciphers_of(offer);
  append_counted(hello, std::string_view("\0", 1), 1);  // no compression
  hello += extensions_of(offer);
  std::string message;
  append_number(message, kClientHello, 1);
  append_counted(message, hello, 3);
  std::string record;
  append_number(record, kHandshake, 1);
  append_number(record, 0x0301, 2);  // RFC 5246 E.1, for any server
  append_counted(record, message, 2);
  return record;
}

TlsAnswer parse_tls_answer(TlsOffer offer, std::string_view bytes) {
  std::string message;
  std::size_t warnings = 0;
  for (;;) {
    const auto parsed = parse_record(bytes);
    if (std::holds_alternative<NeedMore>(parsed)) return NeedMore{};
    if (const auto* bad = std::get_if<Malformed>(&parsed)) return *bad;
    const auto& record = std::get<Record>(parsed);
    if (record.type == kAlert) {
      if (const auto answer = read_alert(record.content)) return *answer;
      if (++warnings > kMostWarnings) return Malformed{"it sends warnings without end"};
    } else {
      message += record.content.substr(0, kBeforeSession + kLongestSession + 3);
      const auto answer = parse_server_hello(offer, message);
      if (!std::holds_alternative<NeedMore>(answer)) return answer;
    }
    if (record.content.size() < record.size) return NeedMore{};
    bytes.remove_prefix(kRecordHeader + record.size);
  }
}

std::string alert_word(std::uint8_t alert) {
  switch (alert) {
    case kCloseNotify:
      return "close_notify";
    case 10:
      return "unexpected_message";
    case 40:
      return "handshake_failure";
    case 47:
      return "illegal_parameter";
    case 50:
      return "decode_error";
    case 70:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case 80:
      return "internal_error";
    default:  // a number of the peer's, no enum of ours
      return fmt::format("alert {}", alert);
  }
}

}  // namespace wire
