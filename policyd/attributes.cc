#include "policyd/attributes.h"

#include <array>
#include <optional>
#include <utility>

#include "src/base/text.h"

namespace policyd {
namespace {

using Fault = std::string_view;  // empty: none

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

template <std::string_view Request::*kField>
Fault take_text(Request& request, std::string_view value) {
  request.*kField = value;
  return {};
}

template <std::string Request::*kField>
Fault take_xtext(Request& request, std::string_view value) {
  return decode_xtext(value, request.*kField);
}

template <auto kField>
Fault take_number(Request& request, std::string_view value) {
  return read_number(value, request.*kField);
}

Fault take_request(Request& /*request*/, std::string_view value) {
  return value == "smtpd_access_policy" ? Fault() : "a request other than smtpd_access_policy";
}

Fault take_state(Request& request, std::string_view value) {
  request.state = parse_state(value);
  return {};
}

struct Field {
  std::string_view name;
  Fault (*take)(Request& request, std::string_view value);
};
// In the order in which smtpd(8) sends them (smtpd/smtpd_check.c check_policy_service): the search
// for one begins behind the last.
constexpr std::array kFields{
    Field{"request", take_request},
    Field{"protocol_state", take_state},
    Field{"protocol_name", take_text<&Request::protocol_name>},
    Field{"client_address", take_text<&Request::client_address>},
    Field{"client_name", take_text<&Request::client_name>},
    Field{"client_port", take_text<&Request::client_port>},
    Field{"reverse_client_name", take_text<&Request::reverse_client_name>},
    Field{"server_address", take_text<&Request::server_address>},
    Field{"server_port", take_text<&Request::server_port>},
    Field{"helo_name", take_text<&Request::helo_name>},
    Field{"sender", take_text<&Request::sender>},
    Field{"recipient", take_text<&Request::recipient>},
    Field{"recipient_count", take_number<&Request::recipient_count>},
    Field{"queue_id", take_text<&Request::queue_id>},
    Field{"instance", take_text<&Request::instance>},
    Field{"size", take_number<&Request::size>},
    Field{"etrn_domain", take_text<&Request::etrn_domain>},
    Field{"stress", take_text<&Request::stress>},
    Field{"sasl_method", take_text<&Request::sasl_method>},
    Field{"sasl_username", take_text<&Request::sasl_username>},
    Field{"sasl_sender", take_text<&Request::sasl_sender>},
    Field{"ccert_subject", take_xtext<&Request::ccert_subject>},
    Field{"ccert_issuer", take_xtext<&Request::ccert_issuer>},
    Field{"ccert_fingerprint", take_text<&Request::ccert_fingerprint>},
    Field{"ccert_pubkey_fingerprint", take_text<&Request::ccert_pubkey_fingerprint>},
    Field{"encryption_protocol", take_text<&Request::encryption_protocol>},
    Field{"encryption_cipher", take_text<&Request::encryption_cipher>},
    Field{"encryption_keysize", take_number<&Request::encryption_keysize>},
    Field{"tls_sni", take_text<&Request::tls_sni>},
    Field{"policy_context", take_text<&Request::policy_context>},
    Field{"compatibility_level", take_text<&Request::compatibility_level>},
    Field{"mail_version", take_text<&Request::mail_version>}};

class Reader {
 public:
  Fault take_line(std::string_view line);
  [[nodiscard]] bool has_request() const { return (seen_ & 1U) != 0; }  // the first field
  Request& request() { return request_; }

 private:
  // The index of the field that the line gives a value to; their number where it is unknown.
  [[nodiscard]] std::size_t find_field(std::string_view line) const;

  Request request_;
  std::uint64_t seen_ = 0;  // a bit for each field
  std::size_t next_ = 0;
  std::size_t lines_ = 0;
};

std::size_t Reader::find_field(std::string_view line) const {
  for (std::size_t i = 0, at = next_; i < kFields.size(); ++i, ++at) {
    if (at >= kFields.size()) at = 0;
    const auto name = kFields[at].name;
    if (line.size() > name.size() && line[name.size()] == '=' && line.starts_with(name)) return at;
  }
  return kFields.size();
}

Fault Reader::take_line(std::string_view line) {
  if (++lines_ > kMostAttributes) return "too many attributes";
  const auto at = find_field(line);
  if (at == kFields.size()) {
    const auto equals = line.find('=');
    if (equals == line.npos) return "a line without '='";
    return equals == 0 ? "an attribute without a name" : Fault();
  }
  const auto bit = std::uint64_t{1} << at;
  if ((seen_ & bit) != 0) return "an attribute given twice";
  seen_ |= bit;
  next_ = at + 1;
  return kFields[at].take(request_, line.substr(kFields[at].name.size() + 1));
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  constexpr Malformed kNul{"a NUL"};
  Reader reader;
  const auto window = input.substr(0, kLongestRequest);
  for (std::size_t at = 0;;) {
    const auto end = window.find('\n', at);
    if (end == window.npos) break;
    const auto line = window.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      if (window.substr(0, at).find('\0') != window.npos) return kNul;
      if (!reader.has_request()) return Malformed{"no request=smtpd_access_policy"};
      return Complete{std::move(reader.request()), at};
    }
    if (const auto fault = reader.take_line(line); !fault.empty()) return Malformed{fault};
  }
  if (window.find('\0') != window.npos) return kNul;
  if (input.size() >= kLongestRequest) return Malformed{"a request over the limit"};
  return NeedMore{};
}

}  // namespace policyd
