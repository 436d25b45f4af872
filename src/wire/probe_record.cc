#include "src/wire/probe_record.h"

#include <algorithm>

#include "src/base/bytes.h"
#include "src/wire/record_bytes.h"

namespace wire {
namespace {

using base::append_number;
using base::ByteReader;
using model::ProbedPeer;
using model::ProbeRecord;

constexpr std::size_t kLongestPeers = 46'000;  // bytes; kMostRecordHosts names stand before them
constexpr std::array kTruths{false, true};

void append_word(std::string& out, std::string_view text) {
  base::append_text(out, text.substr(0, model::kLongestRecordWord));
}

std::string take_word(ByteReader& from, std::size_t longest = model::kLongestRecordWord) {
  const auto text = from.text();
  if (text.size() > longest) from.fail();
  return from.ok() ? std::string(text) : std::string();
}

void append_would(std::string& out, const model::WouldDeliver& would) {
  for (const auto& [profile, field] : model::kProfileAnswers) append_optional(out, would.*field);
}

model::WouldDeliver take_would(ByteReader& from) {
  model::WouldDeliver would;
  for (const auto& [profile, field] : model::kProfileAnswers) {
    would.*field = take_optional(from, kTruths);
  }
  return would;
}

void append_peer(std::string& out, const ProbedPeer& peer) {
  append_word(out, peer.host);
  append_number<std::uint16_t>(out, peer.preference);
  append_word(out, peer.address);
  append_number<std::uint16_t>(out, peer.port);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(peer.outcome.security));
  append_optional(out, peer.outcome.cause);
  append_word(out, peer.trouble);
  append_bool(out, peer.has_spoken);
  append_bool(out, peer.was_offered);
  append_bool(out, peer.is_crossed_out);
  append_word(out, peer.protocol);
  append_word(out, peer.cipher);
  append_number<std::int32_t>(out, peer.bits);
  append_bool(out, peer.is_fit_to_authenticate);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(peer.trust));
  append_bool(out, peer.is_named_for_verify);
  append_bool(out, peer.is_named_for_secure);
  // A name that is cut is another name.
  const bool is_long = peer.names.size() > model::kMostRecordNames;
  base::append_text(out, is_long ? std::string_view() : std::string_view(peer.names));
  append_bool(out, peer.has_more_names || is_long);
  append_number<std::int64_t>(out, peer.not_after);
  append_word(out, peer.issuer);
  append_word(out, peer.pin);
  append_word(out, peer.fingerprint);
  append_would(out, peer.would);
}

ProbedPeer take_peer(ByteReader& from) {
  ProbedPeer peer;
  peer.host = take_word(from);
  peer.preference = from.number<std::uint16_t>();
  peer.address = take_word(from);
  peer.port = from.number<std::uint16_t>();
  peer.outcome.security = take_enum(from, model::kSecurities);
  peer.outcome.cause = take_optional(from, model::kCauses);
  peer.trouble = take_word(from);
  peer.has_spoken = take_bool(from);
  peer.was_offered = take_bool(from);
  peer.is_crossed_out = take_bool(from);
  peer.protocol = take_word(from);
  peer.cipher = take_word(from);
  peer.bits = from.number<std::int32_t>();
  peer.is_fit_to_authenticate = take_bool(from);
  peer.trust = take_enum(from, model::kChainTrusts);
  peer.is_named_for_verify = take_bool(from);
  peer.is_named_for_secure = take_bool(from);
  peer.names = take_word(from, model::kMostRecordNames);
  peer.has_more_names = take_bool(from);
  peer.not_after = from.number<std::int64_t>();
  peer.issuer = take_word(from);
  peer.pin = take_word(from);
  peer.fingerprint = take_word(from);
  peer.would = take_would(from);
  return peer;
}

void append_hosts(std::string& out, const std::vector<std::string>& hosts) {
  const auto count = std::min(hosts.size(), model::kMostRecordHosts);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) append_word(out, hosts[i]);
}

// As many as there is room for, the most preferred ones.
void append_peers(std::string& out, const std::vector<ProbedPeer>& peers) {
  std::string bytes;
  std::uint8_t count = 0;
  for (const auto& peer : peers) {
    std::string one;
    append_peer(one, peer);
    if (count == model::kMostRecordPeers || bytes.size() + one.size() > kLongestPeers) break;
    bytes += one;
    ++count;
  }
  append_number<std::uint8_t>(out, count);
  out += bytes;
}

ProbeRecord take_record(ByteReader& from) {
  ProbeRecord record;
  record.destination = take_word(from);
  record.at = from.number<std::int64_t>();
  record.kind = take_enum(from, model::kRouteKinds);
  record.fault = take_optional(from, model::kRouteFaults);
  record.trouble = take_word(from);
  record.is_secure = take_bool(from);
  const auto hosts = from.number<std::uint8_t>();
  if (hosts > model::kMostRecordHosts) from.fail();
  for (std::size_t i = 0; i < hosts && from.ok(); ++i) record.hosts.push_back(take_word(from));
  const auto peers = from.number<std::uint8_t>();
  if (peers > model::kMostRecordPeers) from.fail();
  for (std::size_t i = 0; i < peers && from.ok(); ++i) record.peers.push_back(take_peer(from));
  record.would = take_would(from);
  return record;
}

}  // namespace

void append_record(std::string& out, const ProbeRecord& record) {
  append_word(out, record.destination);
  append_number<std::int64_t>(out, record.at);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(record.kind));
  append_optional(out, record.fault);
  append_word(out, record.trouble);
  append_bool(out, record.is_secure);
  append_hosts(out, record.hosts);
  append_peers(out, record.peers);
  append_would(out, record.would);
}

std::optional<ProbeRecord> take_probe_record(std::string_view& bytes) {
  ByteReader from(bytes);
  auto record = take_record(from);
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return record;
}

}  // namespace wire
