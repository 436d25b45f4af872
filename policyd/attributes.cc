#include "policyd/attributes.h"

#include <array>
#include <optional>
#include <utility>

#include "src/base/text.h"

namespace policyd {
namespace {

using Fault = std::string_view;  // empty: none

struct TextField {
  std::string_view name;
  std::string_view Request::*field;
};
constexpr std::array kTextFields{
    TextField{"protocol_name", &Request::protocol_name},
    TextField{"helo_name", &Request::helo_name},
    TextField{"queue_id", &Request::queue_id},
    TextField{"sender", &Request::sender},
    TextField{"recipient", &Request::recipient},
    TextField{"client_address", &Request::client_address},
    TextField{"client_name", &Request::client_name},
    TextField{"reverse_client_name", &Request::reverse_client_name},
    TextField{"client_port", &Request::client_port},
    TextField{"server_address", &Request::server_address},
    TextField{"server_port", &Request::server_port},
    TextField{"instance", &Request::instance},
    TextField{"policy_context", &Request::policy_context},
    TextField{"etrn_domain", &Request::etrn_domain},
    TextField{"stress", &Request::stress},
    TextField{"sasl_method", &Request::sasl_method},
    TextField{"sasl_username", &Request::sasl_username},
    TextField{"sasl_sender", &Request::sasl_sender},
    TextField{"ccert_fingerprint", &Request::ccert_fingerprint},
    TextField{"ccert_pubkey_fingerprint", &Request::ccert_pubkey_fingerprint},
    TextField{"encryption_protocol", &Request::encryption_protocol},
    TextField{"encryption_cipher", &Request::encryption_cipher},
    TextField{"tls_sni", &Request::tls_sni},
    TextField{"compatibility_level", &Request::compatibility_level},
    TextField{"mail_version", &Request::mail_version}};

constexpr std::array<std::pair<std::string_view, ProtocolState>, 9> kStates{
    {{"CONNECT", ProtocolState::Connect},
     {"EHLO", ProtocolState::Ehlo},
     {"HELO", ProtocolState::Helo},
     {"MAIL", ProtocolState::Mail},
     {"RCPT", ProtocolState::Rcpt},
     {"DATA", ProtocolState::Data},
     {"END-OF-MESSAGE", ProtocolState::EndOfMessage},
     {"VRFY", ProtocolState::Vrfy},
     {"ETRN", ProtocolState::Etrn}}};

// The known attributes that aren't plain text; their bits in `seen` stand behind the text fields'.
enum class Special : std::uint8_t { Request, State, Subject, Issuer, KeySize, Recipients, Size };
constexpr std::array<std::pair<std::string_view, Special>, 7> kSpecials{
    {{"request", Special::Request},
     {"protocol_state", Special::State},
     {"ccert_subject", Special::Subject},
     {"ccert_issuer", Special::Issuer},
     {"encryption_keysize", Special::KeySize},
     {"recipient_count", Special::Recipients},
     {"size", Special::Size}}};

ProtocolState parse_state(std::string_view word) {
  for (const auto& [each, state] : kStates) {
    if (each == word) return state;
  }
  return ProtocolState::Unknown;
}

std::optional<unsigned> hex_value(char c) {
  if (base::is_digit(c)) return static_cast<unsigned>(c - '0');
  const char lower = base::to_lower(c);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a') + 10;
  return std::nullopt;
}

// global/xtext.c: "+HH" is one byte. A NUL would end a comparison early somewhere; no certificate
// name that Postfix passes on has one.
Fault decode_xtext(std::string_view text, std::string& decoded) {
  constexpr Fault kBad = "bad xtext in a certificate name";
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '+') {
      decoded += text[at];
      continue;
    }
    if (text.size() - at < 3) return kBad;
    const auto high = hex_value(text[at + 1]);
    const auto low = hex_value(text[at + 2]);
    if (!high || !low || (*high == 0 && *low == 0)) return kBad;
    decoded += static_cast<char>(*high * 16 + *low);
    at += 2;
  }
  return {};
}

template <class T>
Fault read_number(std::string_view text, T& number) {
  const auto parsed = base::parse_number<T>(text);
  if (!parsed) return "an attribute that must be a number is none";
  number = *parsed;
  return {};
}

class Reader {
 public:
  Fault take_line(std::string_view line);
  [[nodiscard]] bool has_request() const { return is_seen(bit_of(Special::Request)); }
  Request& request() { return request_; }

 private:
  static constexpr std::uint64_t bit_of(Special special) {
    return std::uint64_t{1} << (kTextFields.size() + static_cast<std::size_t>(special));
  }
  [[nodiscard]] bool is_seen(std::uint64_t bit) const { return (seen_ & bit) != 0; }
  Fault mark(std::uint64_t bit) {
    if (is_seen(bit)) return "an attribute given twice";
    seen_ |= bit;
    return {};
  }
  Fault take_special(Special special, std::string_view value);

  Request request_;
  std::uint64_t seen_ = 0;
  std::size_t lines_ = 0;
};

Fault Reader::take_line(std::string_view line) {
  if (++lines_ > kMostAttributes) return "too many attributes";
  if (line.find('\0') != line.npos) return "a NUL";
  const auto equals = line.find('=');
  if (equals == line.npos) return "a line without '='";
  if (equals == 0) return "an attribute without a name";
  const auto name = line.substr(0, equals);
  const auto value = line.substr(equals + 1);
  for (std::size_t i = 0; i < kTextFields.size(); ++i) {
    const auto& known = kTextFields.at(i);
    if (known.name != name) continue;
    request_.*known.field = value;
    return mark(std::uint64_t{1} << i);
  }
  for (const auto& [word, special] : kSpecials) {
    if (word != name) continue;
    const auto fault = mark(bit_of(special));
    return fault.empty() ? take_special(special, value) : fault;
  }
  return {};
}

Fault Reader::take_special(Special special, std::string_view value) {
  switch (special) {
    case Special::Request:
      return value == "smtpd_access_policy" ? Fault() : "a request other than smtpd_access_policy";
    case Special::State:
      request_.state = parse_state(value);
      return {};
    case Special::Subject:
      return decode_xtext(value, request_.ccert_subject);
    case Special::Issuer:
      return decode_xtext(value, request_.ccert_issuer);
    case Special::KeySize:
      return read_number(value, request_.encryption_keysize);
    case Special::Recipients:
      return read_number(value, request_.recipient_count);
    case Special::Size:
      return read_number(value, request_.size);
  }
  return {};
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  Reader reader;
  const auto window = input.substr(0, kLongestRequest);
  for (std::size_t at = 0;;) {
    const auto end = window.find('\n', at);
    if (end == window.npos) break;
    const auto line = window.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      if (!reader.has_request()) return Malformed{"no request=smtpd_access_policy"};
      return Complete{std::move(reader.request()), at};
    }
    if (const auto fault = reader.take_line(line); !fault.empty()) return Malformed{fault};
  }
  if (input.size() >= kLongestRequest) return Malformed{"a request over the limit"};
  return NeedMore{};
}

}  // namespace policyd
