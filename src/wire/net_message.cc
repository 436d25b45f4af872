#include "src/wire/net_message.h"

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "src/base/bytes.h"

namespace wire {
namespace {

using base::append_number;
using base::ByteReader;

constexpr std::size_t kLongestText = 1024;
constexpr std::uint8_t kNone = 0xff;

void append_cut(std::string& out, std::string_view text) {
  base::append_text(out, text.substr(0, kLongestText));
}

std::string take_text(ByteReader& from) {
  const auto text = from.text();
  if (text.size() > kLongestText) from.fail();
  return from.ok() ? std::string(text) : std::string();
}

bool take_bool(ByteReader& from) {
  const auto value = from.number<std::uint8_t>();
  if (value > 1) from.fail();
  return value == 1;
}

template <class Values>
auto take_enum(ByteReader& from, const Values& values) {
  const auto value = from.number<std::uint8_t>();
  if (value >= values.size()) from.fail();
  return from.ok() ? values[value] : values[0];
}

void append_outcome(std::string& out, const std::optional<model::Outcome>& outcome) {
  append_number<std::uint8_t>(out, outcome ? static_cast<std::uint8_t>(outcome->security) : kNone);
  append_number<std::uint8_t>(
      out, outcome && outcome->cause ? static_cast<std::uint8_t>(*outcome->cause) : kNone);
}

std::optional<model::Outcome> take_outcome(ByteReader& from) {
  const auto security = from.number<std::uint8_t>();
  const auto cause = from.number<std::uint8_t>();
  const bool is_nothing = security == kNone;
  if (!is_nothing && security >= model::kSecurities.size()) from.fail();
  if (cause != kNone && (is_nothing || cause >= model::kCauses.size())) from.fail();
  if (!from.ok() || is_nothing) return std::nullopt;
  model::Outcome outcome{model::kSecurities.at(security), std::nullopt};
  if (cause != kNone) outcome.cause = model::kCauses.at(cause);
  return outcome;
}

template <class Record>
std::optional<Record> finish(const ByteReader& from, std::string_view& bytes, Record record) {
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return record;
}

}  // namespace

void append_watched_record(std::string& out, const WatchedRecord& record) {
  append_cut(out, record.destination);
  append_number<std::int64_t>(out, record.checked_at);
  append_number<std::uint8_t>(out, record.is_downgraded ? 1 : 0);
  append_number<std::int64_t>(out, record.failed_at);
  append_number<std::int64_t>(out, record.retry_after);
}

std::optional<WatchedRecord> take_watched_record(std::string_view& bytes) {
  ByteReader from(bytes);
  WatchedRecord record;
  record.destination = take_text(from);
  record.checked_at = from.number<std::int64_t>();
  record.is_downgraded = take_bool(from);
  record.failed_at = from.number<std::int64_t>();
  record.retry_after = from.number<std::int64_t>();
  return finish(from, bytes, std::move(record));
}

void append_watch_event(std::string& out, const WatchEvent& event) {
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(event.kind));
  append_cut(out, event.destination);
  append_number<std::int64_t>(out, event.at);
  append_number<std::int64_t>(out, event.retry_after);
}

std::optional<WatchEvent> take_watch_event(std::string_view& bytes) {
  static constexpr std::array kKinds{WatchEvent::Kind::Delivered, WatchEvent::Kind::Failed,
                                     WatchEvent::Kind::Downgraded, WatchEvent::Kind::Restored,
                                     WatchEvent::Kind::Asked};
  ByteReader from(bytes);
  WatchEvent event;
  event.kind = take_enum(from, kKinds);
  event.destination = take_text(from);
  event.at = from.number<std::int64_t>();
  event.retry_after = from.number<std::int64_t>();
  return finish(from, bytes, std::move(event));
}

void append_found_record(std::string& out, const FoundRecord& record) {
  append_cut(out, record.destination);
  append_number<std::int64_t>(out, record.at);
  append_outcome(out, record.encrypted);
  append_outcome(out, record.verified);
  append_outcome(out, record.secure);
  append_number<std::uint8_t>(out, record.was_offered ? 1 : 0);
  append_cut(out, record.mx);
}

std::optional<FoundRecord> take_found_record(std::string_view& bytes) {
  ByteReader from(bytes);
  FoundRecord record;
  record.destination = take_text(from);
  record.at = from.number<std::int64_t>();
  record.encrypted = take_outcome(from);
  record.verified = take_outcome(from);
  record.secure = take_outcome(from);
  record.was_offered = take_bool(from);
  record.mx = take_text(from);
  return finish(from, bytes, std::move(record));
}

std::string to_payload(const NetStats& stats) {
  static_assert(std::has_unique_object_representations_v<NetStats>);
  std::string bytes(sizeof stats, '\0');
  std::memcpy(bytes.data(), &stats, sizeof stats);
  return bytes;
}

std::optional<NetStats> parse_net_stats(std::string_view payload) {
  NetStats stats;
  if (payload.size() != sizeof stats) return std::nullopt;
  std::memcpy(&stats, payload.data(), sizeof stats);
  return stats;
}

}  // namespace wire
