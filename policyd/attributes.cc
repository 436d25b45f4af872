#include "policyd/attributes.h"

#include <array>
#include <cstring>
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
// In the order in which smtpd(8) sends them (smtpd/smtpd_check.c check_policy_service).
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

// Reads the lines of one request into `request`.
class Reader {
 public:
  explicit Reader(Request& request) : request_(request) {}

  // Takes the lines from `at` on that come in smtpd(8)'s order, which are all of them nearly
  // always, and moves `at` behind them.
  Fault take_in_order(std::string_view input, std::size_t& at) {
    return take_in_order(input, at, std::make_index_sequence<kFields.size()>());
  }
  Fault take_line(std::string_view line);
  [[nodiscard]] bool has_request() const { return (seen_ & 1U) != 0; }  // the first field

 private:
  template <std::size_t... kIndex>
  Fault take_in_order(std::string_view input, std::size_t& at,
                      std::index_sequence<kIndex...> /*all*/) {
    Fault fault;
    static_cast<void>((take_next<kIndex>(input, at, fault) && ...));
    return fault;
  }
  template <std::size_t kIndex>
  bool take_next(std::string_view input, std::size_t& at, Fault& fault);
  Fault admit(std::size_t index);

  Request& request_;
  std::uint64_t seen_ = 0;  // a bit for each field
  std::size_t lines_ = 0;
};

// Counts the line that gives a value to the field.
Fault Reader::admit(std::size_t index) {
  if (++lines_ > kMostAttributes) return "too many attributes";
  const auto bit = std::uint64_t{1} << index;
  if ((seen_ & bit) != 0) return "an attribute given twice";
  seen_ |= bit;
  return {};
}

// Takes the line at `at` where it is the field's. False: no line is to be taken after it.
template <std::size_t kIndex>
bool Reader::take_next(std::string_view input, std::size_t& at, Fault& fault) {
  constexpr auto kName = kFields[kIndex].name;
  const auto left = input.size() - at;
  const char* const line = input.data() + at;
  if (left <= kName.size() || line[kName.size()] != '=' ||
      std::memcmp(line, kName.data(), kName.size()) != 0) {
    return true;
  }
  const auto value = at + kName.size() + 1;
  const auto end = input.find('\n', value);
  if (end == input.npos) return false;
  fault = admit(kIndex);
  if (fault.empty()) fault = kFields[kIndex].take(request_, input.substr(value, end - value));
  at = end + 1;
  return fault.empty();
}

// A line out of order, or of a field that this Postfix has and we don't know.
Fault Reader::take_line(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == line.npos) return "a line without '='";
  if (equals == 0) return "an attribute without a name";
  const auto name = line.substr(0, equals);
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].name != name) continue;
    const auto fault = admit(i);
    return fault.empty() ? kFields[i].take(request_, line.substr(equals + 1)) : fault;
  }
  return ++lines_ > kMostAttributes ? "too many attributes" : Fault();
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  constexpr Malformed kNul{"a NUL"};
  ParsedRequest parsed(std::in_place_type<Complete>);
  auto& complete = *std::get_if<Complete>(&parsed);
  Reader reader(complete.request);
  const auto window = input.substr(0, kLongestRequest);
  for (std::size_t at = 0;;) {
    if (const auto fault = reader.take_in_order(window, at); !fault.empty()) {
      return Malformed{fault};
    }
    const auto end = window.find('\n', at);
    if (end == window.npos) break;
    const auto line = window.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      if (window.substr(0, at).find('\0') != window.npos) return kNul;
      if (!reader.has_request()) return Malformed{"no request=smtpd_access_policy"};
      complete.consumed = at;
      return parsed;
    }
    if (const auto fault = reader.take_line(line); !fault.empty()) return Malformed{fault};
  }
  if (window.find('\0') != window.npos) return kNul;
  if (input.size() >= kLongestRequest) return Malformed{"a request over the limit"};
  return NeedMore{};
}

}  // namespace policyd
