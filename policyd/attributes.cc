#include "policyd/attributes.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "src/base/text.h"

namespace policyd {
namespace {

using Fault = std::string_view;  // empty: none

// What is asked for most comes first.
constexpr std::array<std::pair<std::string_view, ProtocolState>, 9> kStates{
    {{"RCPT", ProtocolState::Rcpt},
     {"END-OF-MESSAGE", ProtocolState::EndOfMessage},
     {"MAIL", ProtocolState::Mail},
     {"DATA", ProtocolState::Data},
     {"EHLO", ProtocolState::Ehlo},
     {"HELO", ProtocolState::Helo},
     {"CONNECT", ProtocolState::Connect},
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

using Word = std::uint64_t;

Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The name of a field with its '=', as words that are compared with those of a line: memcmp, called
// for each line of a request, costs more than all the rest of it.
class Name {
 public:
  constexpr explicit Name(std::string_view name) : size_(name.size() + 1) {
    for (std::size_t i = 0; i < size_; ++i) {
      text_.at(i) = i < name.size() ? name[i] : '=';
      mask_.at(i) = '\xff';
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool begins(std::string_view line) const {
    const std::string_view text(text_.data(), size_);
    if (line.size() < text_.size()) return line.starts_with(text);
    Word others = 0;
    for (std::size_t at = 0; at < size_; at += sizeof(Word)) {
      others |= (load(line.data() + at) ^ load(text_.data() + at)) & load(mask_.data() + at);
    }
    return others == 0;
  }

 private:
  static constexpr std::size_t kLongest = 32;  // whole words
  std::array<char, kLongest> text_{};
  std::array<char, kLongest> mask_{};
  std::size_t size_;
};

struct Field {
  Name name;
  std::string_view Request::*text;  // or null, where `take` reads the value
  Fault (*take)(Request& request, std::string_view value);

  constexpr Field(std::string_view named, std::string_view Request::*into)
      : name(named), text(into), take(nullptr) {}
  constexpr Field(std::string_view named, Fault (*reader)(Request&, std::string_view))
      : name(named), text(nullptr), take(reader) {}
};
// In the order in which smtpd(8) sends them (smtpd/smtpd_check.c check_policy_service).
constexpr std::array kFields{Field{"request", take_request},
                             Field{"protocol_state", take_state},
                             Field{"protocol_name", &Request::protocol_name},
                             Field{"client_address", &Request::client_address},
                             Field{"client_name", &Request::client_name},
                             Field{"client_port", &Request::client_port},
                             Field{"reverse_client_name", &Request::reverse_client_name},
                             Field{"server_address", &Request::server_address},
                             Field{"server_port", &Request::server_port},
                             Field{"helo_name", &Request::helo_name},
                             Field{"sender", &Request::sender},
                             Field{"recipient", &Request::recipient},
                             Field{"recipient_count", take_number<&Request::recipient_count>},
                             Field{"queue_id", &Request::queue_id},
                             Field{"instance", &Request::instance},
                             Field{"size", take_number<&Request::size>},
                             Field{"etrn_domain", &Request::etrn_domain},
                             Field{"stress", &Request::stress},
                             Field{"sasl_method", &Request::sasl_method},
                             Field{"sasl_username", &Request::sasl_username},
                             Field{"sasl_sender", &Request::sasl_sender},
                             Field{"ccert_subject", take_xtext<&Request::ccert_subject>},
                             Field{"ccert_issuer", take_xtext<&Request::ccert_issuer>},
                             Field{"ccert_fingerprint", &Request::ccert_fingerprint},
                             Field{"ccert_pubkey_fingerprint", &Request::ccert_pubkey_fingerprint},
                             Field{"encryption_protocol", &Request::encryption_protocol},
                             Field{"encryption_cipher", &Request::encryption_cipher},
                             Field{"encryption_keysize", take_number<&Request::encryption_keysize>},
                             Field{"tls_sni", &Request::tls_sni},
                             Field{"policy_context", &Request::policy_context},
                             Field{"compatibility_level", &Request::compatibility_level},
                             Field{"mail_version", &Request::mail_version}};

// How much stands before the end of the line at the start of `rest`; npos where it has no end.
std::size_t find_line_end(std::string_view rest) {
  constexpr std::size_t kNear = 32;  // behind that memchr is faster
  constexpr Word kOnes = 0x0101010101010101U;
  constexpr Word kHighBits = kOnes * 0x80U;
  if (std::endian::native != std::endian::little || rest.size() < kNear) return rest.find('\n');
  if (rest.front() == '\n') return 0;  // a third of all values are empty
  for (std::size_t at = 0; at < kNear; at += sizeof(Word)) {
    const Word others = load(rest.data() + at) ^ (kOnes * '\n');
    // The lowest bit of these is that of the first newline; those above it may be none.
    const Word newlines = (others - kOnes) & ~others & kHighBits;
    if (newlines != 0) return at + static_cast<std::size_t>(std::countr_zero(newlines)) / 8;
  }
  return rest.find('\n', kNear);
}

// Which field the line at the start of `rest` gives; null: none that we know. Lines come in
// smtpd(8)'s order nearly always, so it is most likely `next`.
const Field* find_field(std::string_view rest, const Field* next) {
  const auto* const first = kFields.data();
  for (const auto* field = next; field != first + kFields.size(); ++field) {
    if (field->name.begins(rest)) return field;
  }
  for (const auto* field = first; field != next; ++field) {
    if (field->name.begins(rest)) return field;
  }
  return nullptr;
}

// Of a field that this Postfix has and we don't know.
Fault pass_over(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == line.npos) return "a line without '='";
  return equals == 0 ? "an attribute without a name" : Fault();
}

// Reads the lines of one request into `request`.
class Reader {
 public:
  Reader(std::string_view input, Request& request) : rest_(input), request_(request) {}

  // Takes lines up to the empty one, or to the last that is whole, or to a fault.
  void take_lines();
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] Fault fault() const { return fault_; }
  [[nodiscard]] bool has_request() const { return (seen_ & 1U) != 0; }  // the first field

 private:
  bool take_line();
  Fault take(const Field& field, std::string_view value);

  std::string_view rest_;
  Request& request_;
  Fault fault_;
  std::uint64_t seen_ = 0;  // a bit for each field
  std::size_t lines_ = 0;
  const Field* next_ = kFields.data();  // most likely
};

void Reader::take_lines() {
  while (!rest_.empty() && rest_.front() != '\n' && take_line()) {
  }
}

// False: none is to be taken after it.
bool Reader::take_line() {
  const auto* const field = find_field(rest_, next_);
  auto value = rest_;
  if (field != nullptr) value.remove_prefix(field->name.size());
  const auto size = find_line_end(value);
  if (size == value.npos) return false;
  rest_ = value;
  rest_.remove_prefix(size + 1);
  value.remove_suffix(value.size() - size);
  if (++lines_ > kMostAttributes) {
    fault_ = "too many attributes";
  } else if (field != nullptr) {
    next_ = field + 1;
    fault_ = take(*field, value);
  } else {
    fault_ = pass_over(value);
  }
  return fault_.empty();
}

Fault Reader::take(const Field& field, std::string_view value) {
  const auto bit = std::uint64_t{1} << static_cast<unsigned>(&field - kFields.data());
  if ((seen_ & bit) != 0) return "an attribute given twice";
  seen_ |= bit;
  if (field.text == nullptr) return field.take(request_, value);
  request_.*field.text = value;
  return {};
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  // Every way out returns this one, which is large: it is made where the caller wants it.
  ParsedRequest parsed(std::in_place_type<Complete>);
  auto& complete = *std::get_if<Complete>(&parsed);
  const auto window = input.substr(0, kLongestRequest);
  Reader reader(window, complete.request);
  reader.take_lines();
  const auto rest = reader.rest();
  const bool is_whole = !rest.empty() && rest.front() == '\n';
  const auto looked_at = is_whole ? window.size() - rest.size() : window.size();
  if (!reader.fault().empty()) {
    parsed = Malformed{reader.fault()};
  } else if (window.substr(0, looked_at).find('\0') != window.npos) {
    parsed = Malformed{"a NUL"};
  } else if (is_whole && reader.has_request()) {
    complete.consumed = looked_at + 1;
  } else if (is_whole) {
    parsed = Malformed{"no request=smtpd_access_policy"};
  } else if (input.size() >= kLongestRequest) {
    parsed = Malformed{"a request over the limit"};
  } else {
    parsed = NeedMore{};
  }
  return parsed;
}

}  // namespace policyd
