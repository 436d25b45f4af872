// The laws of map `outcome`, on any bytes: a cause only for a text that is Postfix's own, never for
// a peer's; what is kept of it are our words and a host that can be one; the two replies that
// change an outcome are ours but for that host, and don't depend on what a peer wrote.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "tlsmap/outcome.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kNotOffered = "TLS is required, but was not offered by host ";
constexpr std::string_view kRefused = "TLS is required, but host ";

// How each of Postfix's own texts begins [F 3.3].
constexpr std::array<std::string_view, 14> kOwnWords{
    "Cannot start TLS: handshake failure",
    "Server certificate not verified",
    "Server certificate not trusted",
    "client TLS configuration problem",
    "TLS is required, but our TLS engine is unavailable",
    "TLS is required, but unavailable",
    "no TLSA records found",
    "non DNSSEC destination",
    "TLSA records unusable",
    "TLSA lookup error for ",
    kNotOffered,
    kRefused,
    "lost connection with ",
    "conversation with "};

bool is_own(std::string_view text) {
  return std::any_of(kOwnWords.begin(), kOwnWords.end(),
                     [text](std::string_view words) { return text.starts_with(words); });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// "host[address]", of which each byte stands in the text too.
void check_host(std::string_view host, std::string_view text) {
  require(host.size() <= 255 + 108 + 2 && is_printable(host) && host.ends_with(']'));
  require(host.find('[') == host.rfind('[') && host.find(' ') == host.npos);
  require(text.find(host) != text.npos);
}

void check_evidence(const tlsmap::Outcome& outcome, std::optional<model::Level> level) {
  const auto found = tlsmap::evidence_of(outcome, level);
  // Of mail that arrived something is known always, of what did not only where TLS was why.
  require(found || outcome.dsn_class != '2');
  if (!found) return;
  const auto& seen = *found;
  require(seen.source == model::Source::Outcome && !seen.is_trusted && seen.at == 0);
  require(is_printable(seen.text) && seen.text.size() < 100);
  if (!seen.mx.empty()) check_host(seen.mx, outcome.text);
  require(seen.outcome.cause.has_value() == (outcome.dsn_class != '2'));
  if (outcome.dsn_class == '2') {
    const bool is_proof = level && model::is_tls_required(*level);
    require((seen.outcome.security != model::Security::Unknown) == is_proof);
    require(seen.mx.empty() && !seen.was_offered);
  } else {
    require(is_own(outcome.text));
    require(seen.outcome.security != model::Security::Authenticated);
  }
}

// `reply` without the host of `text`, if it names one.
std::string without_host(std::string_view reply, std::string_view text) {
  const auto at = reply.find('[');
  if (at == reply.npos) return std::string(reply);
  const auto begin = reply.rfind(' ', at) + 1;
  const auto end = reply.find(']', at) + 1;
  check_host(reply.substr(begin, end - begin), text);
  return std::string(reply.substr(0, begin)) + "H" + std::string(reply.substr(end));
}

void check_rewrites(const tlsmap::Outcome& outcome) {
  constexpr std::array<std::string_view, 4> kTold{
      "5.7.4 TLS is required, but was not offered by host H",
      "5.7.5 TLS is required, and the server certificate could not be verified",
      "5.7.5 TLS is required, and could not be started: handshake failure",
      "5.7.5 TLS is required, and was not to be had"};
  const auto kept = tlsmap::keep_refused(outcome);
  const auto told = tlsmap::bounce_failed(outcome);
  require(!(kept && told));
  if (kept) {
    require(outcome.dsn_class == '5' && outcome.text.starts_with(kRefused));
    require(without_host(*kept, outcome.text) ==
            "4.7.0 TLS is required, but host H refused to start TLS");
    // Whatever else the peer had said.
    constexpr std::string_view kHis = " refused to start TLS: ";
    const auto his = outcome.text.find(kHis);
    require(his != outcome.text.npos);
    auto other = outcome;
    other.text = outcome.text.substr(0, his + kHis.size());
    require(tlsmap::keep_refused(other) == kept);
  }
  if (told) {
    require(outcome.dsn_class == '4' && is_own(outcome.text));
    const auto words = without_host(*told, outcome.text);
    require(std::find(kTold.begin(), kTold.end(), words) != kTold.end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view key(reinterpret_cast<const char*>(data), size);
  const auto outcome = tlsmap::parse_outcome(key);
  if (!outcome) return 0;
  require(outcome->dsn_class == key.front() && outcome->dsn.front() == outcome->dsn_class);
  require(!outcome->text.empty());
  require(std::string(outcome->dsn) + " " + std::string(outcome->text) == key);
  check_evidence(*outcome, std::nullopt);
  for (const auto level : model::kLevels) check_evidence(*outcome, level);
  check_rewrites(*outcome);
  return 0;
}
