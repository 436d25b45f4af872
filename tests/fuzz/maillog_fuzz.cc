// The laws of the log line parser, on any bytes: it is total, every view lies inside the line and
// holds only the characters of its field, a line cut at any byte tells of no better delivery than
// the whole one, and what a peer said changes nothing.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "src/wire/maillog.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kHead = "Nov 22 03:12:47 mail postfix/smtp[4242]: ";

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= '\x7f') return false;
  }
  return true;
}

void check_view(std::string_view line, std::string_view view, std::size_t limit,
                bool plain = true) {
  require(view.size() <= limit);
  if (view.empty()) return;
  const std::less_equal<const char*> before;
  require(before(line.data(), view.data()));
  require(before(view.data() + view.size(), line.data() + line.size()));
  if (plain) require(is_plain(view));
}

void check_peer(std::string_view line, const wire::LogPeer& peer) {
  check_view(line, peer.host, wire::kLongestPeerHost);
  check_view(line, peer.address, wire::kLongestPeerAddress);
  check_view(line, peer.port, wire::kLongestPeerPort);
  require(!peer.address.empty());
}

void check_status(std::string_view line, const wire::DeliveryStatus& status) {
  check_view(line, status.queue_id, wire::kLongestQueueId);
  check_view(line, status.to, wire::kLongestLogAddress, /*plain=*/false);
  check_view(line, status.text, wire::kLongestLogLine, /*plain=*/false);
  check_view(line, status.delays, 64);
  check_view(line, status.dsn, 16);
  if (status.relay) check_peer(line, *status.relay);
  const bool is_taken =
      status.word == wire::DeliveryWord::Sent || status.word == wire::DeliveryWord::Deliverable;
  require(!is_taken || status.meaning == wire::StatusText{});
  require(!status.meaning.is_suspended || !status.meaning.cause);
  require(!model::to_word(wire::security_of(status.tls.value_or(wire::TlsFeature{}))).empty());
}

void check_fields(std::string_view line, const wire::LogLine& parsed) {
  require(wire::program_of(line) == parsed.process.name);
  check_view(line, parsed.process.tag, wire::kLongestLogTag);
  check_view(line, parsed.host, 255);
  require(parsed.process.tag.ends_with(parsed.process.name));
  const auto now = base::sys_seconds(std::chrono::seconds(1'800'000'000));
  if (!parsed.stamp.year) {
    require(wire::to_time(parsed.stamp, now) <= now + std::chrono::days(1));
  }
  if (const auto* status = std::get_if<wire::DeliveryStatus>(&parsed.fact)) {
    check_status(line, *status);
  } else if (const auto* session = std::get_if<wire::TlsSession>(&parsed.fact)) {
    check_peer(line, session->peer);
  } else if (const auto* error = std::get_if<wire::CertificateError>(&parsed.fact)) {
    check_peer(line, error->peer);
  } else if (const auto* report = std::get_if<wire::TlsReport>(&parsed.fact)) {
    check_view(line, report->domain, 255, /*plain=*/false);
  }
}

// What a line is worth: the kind of its fact, and of a delivery all that is decided by.
bool says_the_same(const wire::LogFact& a, const wire::LogFact& b) {
  if (a.index() != b.index()) return false;
  const auto* first = std::get_if<wire::DeliveryStatus>(&a);
  if (first == nullptr) return true;
  const auto& second = std::get<wire::DeliveryStatus>(b);
  return first->word == second.word && first->to == second.to && first->relay == second.relay &&
         first->queue_id == second.queue_id && first->tls.has_value() == second.tls.has_value();
}

void check_every_cut(std::string_view line, const wire::LogLine& whole) {
  for (std::size_t length = 0; length < line.size(); ++length) {
    const auto part = wire::parse_log_line(line.substr(0, length));
    if (!part) continue;
    const auto* status = std::get_if<wire::DeliveryStatus>(&part->fact);
    const bool is_delivery = status != nullptr && status->word == wire::DeliveryWord::Sent;
    const bool is_session = std::holds_alternative<wire::TlsSession>(part->fact);
    if (is_delivery || is_session) require(says_the_same(part->fact, whole.fact));
  }
}

// Any bytes as a peer's words, in each of the places where a peer's words stand.
void check_peers_words(std::string_view words) {
  const auto parse = [](std::string_view end, std::string& line) {
    line = std::string(kHead) + "4ABC: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, " +
           "delay=0.4, delays=0.1/0.01/0.29/0, " + std::string(end);
    return wire::parse_log_line(line);
  };
  std::string line;
  const auto said = parse("dsn=4.7.5, status=deferred (host mx1.peer.test[192.0.2.10] said: " +
                              std::string(words) + ")",
                          line);
  if (!said) return;  // too long for a line
  require(std::get<wire::DeliveryStatus>(said->fact).meaning == wire::StatusText{});
  const auto sent = parse("dsn=2.0.0, status=sent (" + std::string(words) + ")", line);
  const auto& status = std::get<wire::DeliveryStatus>(sent->fact);
  require(status.word == wire::DeliveryWord::Sent && status.meaning == wire::StatusText{});
  require(!status.tls && status.to == "u@peer.test");
  const auto refused = parse(
      "dsn=4.7.0, status=deferred (TLS is required, but host mx1.peer.test[192.0.2.10] refused to "
      "start TLS: " +
          std::string(words) + ")",
      line);
  if (!refused) return;
  require(std::get<wire::DeliveryStatus>(refused->fact).meaning.cause ==
          model::Cause::StarttlsRefused);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = wire::parse_log_line(input)) {
    check_fields(input, *parsed);
    if (size <= 1000) check_every_cut(input, *parsed);
  }
  const std::string behind_head = std::string(kHead) + std::string(input);
  if (const auto parsed = wire::parse_log_line(behind_head)) check_fields(behind_head, *parsed);
  check_peers_words(input);
  return 0;
}
