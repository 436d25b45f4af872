#include "src/wire/maillog_status.h"

#include <array>
#include <utility>

namespace wire {
namespace {

constexpr std::size_t kShortestQueueId = 4;
constexpr std::size_t kShortestLongId = 10;
constexpr std::size_t kLongestNumber = 12;
constexpr std::size_t kLongestDelays = 60;
constexpr std::size_t kLongestFeature = 80;
constexpr std::size_t kLongestDsn = 11;  // RFC 3463 2: 1.3.3 digits

constexpr std::array<std::pair<std::string_view, DeliveryWord>, 5> kDeliveryWords{
    {{"sent", DeliveryWord::Sent},
     {"deferred", DeliveryWord::Deferred},
     {"bounced", DeliveryWord::Bounced},
     {"deliverable", DeliveryWord::Deliverable},
     {"undeliverable", DeliveryWord::Undeliverable}}};

bool is_upper_hex(char c) {
  return base::is_digit(c) || (c >= 'A' && c <= 'F');
}

// Long ids are in base 52: digits and letters without the vowels (global/safe_ultostr.h).
bool is_base52(char c) {
  constexpr std::string_view kVowels = "AEIOUaeiou";
  return base::is_alnum(c) && kVowels.find(c) == std::string_view::npos;
}

bool is_queue_id(std::string_view id) {
  const auto all = [id](bool (*fits)(char)) {
    for (const char c : id) {
      if (!fits(c)) return false;
    }
    return true;
  };
  if (id.size() < kShortestQueueId || id.size() > kLongestQueueId) return false;
  return all(is_upper_hex) || (id.size() >= kShortestLongId && all(is_base52));
}

bool is_delay_byte(char c) {
  return base::is_digit(c) || c == '.';
}

// An address in "<>", with its quoted local part where it has one: there '>' is a letter. In
// Postfix's older, unquoted form (3.4, info_log_addr_form = internal) a local part can hold '>' as
// it is and forge the rest of the line; whoever may choose recipients may also write to a log.
std::optional<std::string_view> take_address(Scan& scan) {
  if (!scan.skip("<")) return std::nullopt;
  const auto text = scan.rest().substr(0, kLongestLogAddress + 1);
  std::size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
    }
  }
  for (; at < text.size(); ++at) {
    if (text[at] != '>') continue;
    scan.skip(text.substr(0, at + 1));
    return text.substr(0, at);
  }
  return std::nullopt;
}

// "none", "local" and the like are no peer.
bool take_relay(Scan& scan, DeliveryStatus& status) {
  if (!scan.skip(", relay=")) return false;
  if (const auto peer = take_log_peer(scan)) {
    status.relay = *peer;
    return true;
  }
  return scan.take_run(base::is_alnum, kLongestPeerHost).has_value();
}

bool take_delays(Scan& scan, DeliveryStatus& status) {
  if (scan.skip(", conn_use=")) {
    const auto digits = scan.take_run(base::is_digit, 9);
    const auto uses = digits ? base::parse_number<unsigned>(*digits) : std::nullopt;
    if (!uses) return false;
    status.conn_use = *uses;
  }
  if (!scan.skip(", delay=") || !scan.take_run(is_delay_byte, kLongestNumber)) return false;
  if (!scan.skip(", delays=")) return false;
  const auto delays =
      scan.take_run([](char c) { return is_delay_byte(c) || c == '/'; }, kLongestDelays);
  if (!delays) return false;
  status.delays = *delays;
  return true;
}

bool take_feature(Scan& scan, DeliveryStatus& status) {
  if (!scan.skip(", tls=")) return true;
  const auto text = scan.take_until(", ", kLongestFeature);
  if (!text) return false;
  // A word of a later version says that the level is known to others, and nothing to us.
  status.tls = parse_tls_feature(*text).value_or(TlsFeature{});
  return scan.skip("dsn=");
}

bool take_dsn_and_word(Scan& scan, DeliveryStatus& status) {
  if (!status.tls && !scan.skip(", dsn=")) return false;
  const auto dsn = scan.take_run(is_delay_byte, kLongestDsn);
  if (!dsn || !scan.skip(", status=")) return false;
  status.dsn = *dsn;
  const auto word = scan.take_until(" (", 20);
  if (!word) return false;
  for (const auto& [each, meaning] : kDeliveryWords) {
    if (each != *word) continue;
    status.word = meaning;
    return true;
  }
  return false;
}

std::optional<DeliveryStatus> parse_status(Scan scan, std::string_view queue_id) {
  DeliveryStatus status;
  status.queue_id = queue_id;
  if (!scan.skip("to=")) return std::nullopt;
  const auto to = take_address(scan);
  if (!to) return std::nullopt;
  status.to = *to;
  if (scan.skip(", orig_to=") && !take_address(scan)) return std::nullopt;
  if (!take_relay(scan, status) || !take_delays(scan, status) || !take_feature(scan, status) ||
      !take_dsn_and_word(scan, status)) {
    return std::nullopt;
  }
  status.text = scan.rest();
  const bool is_whole = status.text.ends_with(')');
  if (is_whole) status.text.remove_suffix(1);
  // What a server says to mail that it takes is all its own.
  const bool is_peers =
      status.word == DeliveryWord::Sent || status.word == DeliveryWord::Deliverable;
  if (!is_peers) status.meaning = parse_status_text(status.text, is_whole);
  return status;
}

}  // namespace

std::optional<TlsFeature> parse_tls_feature(std::string_view text) {
  constexpr std::size_t kLongestLevel = 16;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  // "/requiretls" and what else may come to stand there.
  Scan scan(text.substr(0, text.find('/')));
  TlsFeature feature;
  feature.is_violated = scan.skip("!");
  const auto name = scan.take_run(is_letter, kLongestLevel);
  if (!name) return std::nullopt;
  feature.level = model::parse_level(*name);
  // "halfdane": TLSA records for a host whose MX record is not signed [F 3.1].
  if (*name == "halfdane") {
    feature.level = model::Level::Dane;
    feature.got = *name;
  } else if (!feature.level && *name != "unknown") {
    return std::nullopt;
  }
  if (scan.skip(":")) {
    const auto got = scan.take_run(is_letter, kLongestLevel);
    if (!got) return std::nullopt;
    feature.got = *got;
  }
  feature.is_undecided = scan.skip("?");
  if (!scan.at_end()) return std::nullopt;
  return feature;
}

model::Security security_of(const TlsFeature& feature) {
  if (feature.is_violated || feature.is_undecided || !feature.level) {
    return model::Security::Unknown;
  }
  if (feature.got == "none") return model::Security::Clear;
  if (!feature.got.empty()) return model::Security::Encrypted;
  switch (*feature.level) {
    case model::Level::None:
      return model::Security::Clear;
    case model::Level::May:
    case model::Level::Encrypt:
      return model::Security::Encrypted;
    case model::Level::Fingerprint:
    case model::Level::Dane:
    case model::Level::DaneOnly:
    case model::Level::Verify:
    case model::Level::Secure:
      return model::Security::Authenticated;
  }
  return model::Security::Unknown;
}

std::string_view domain_of(const DeliveryStatus& status) {
  const auto at = status.to.rfind('@');
  return at == std::string_view::npos ? std::string_view() : status.to.substr(at + 1);
}

bool parse_queue_message(LogFact& fact, Scan scan) {
  const auto id = scan.take_until(": ", kLongestQueueId);
  if (!id || !is_queue_id(*id)) return false;
  if (scan.rest().starts_with("to=<")) {
    const auto status = parse_status(scan, *id);
    if (status) fact = *status;
    return status.has_value();
  }
  const auto meaning = parse_status_text(scan.rest());
  const bool is_told = meaning.cause || meaning.is_connection_lost;
  if (is_told) fact = ServerFailed{*id, meaning.cause, meaning.is_connection_lost};
  return is_told;
}

}  // namespace wire
