#include "src/wire/role_message.h"

#include <cstring>
#include <type_traits>

#include "src/base/bytes.h"
#include "src/model/level.h"
#include "src/wire/record_bytes.h"

namespace wire {
namespace {

// Both ends are the same binary on the same host, so the bytes of a plain struct are its wire form.
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostTexts = 256;

// Nothing was missing, and nothing is left over.
bool is_whole(const base::ByteReader& from, std::string_view payload) {
  return from.ok() && from.at() == payload.size();
}

void append_cut(std::string& out, std::string_view text) {
  base::append_text(out, text.substr(0, kLongestText));
}

template <class T>
std::string to_bytes(const T& value) {
  static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
std::optional<T> from_bytes(std::string_view bytes) {
  T value{};
  if (bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

std::string to_payload(const AlarmMessage& alarm) {
  std::string out;
  append_cut(out, alarm.what);
  append_cut(out, alarm.destination);
  append_cut(out, alarm.text);
  append_bool(out, alarm.is_over);
  return out;
}

std::optional<AlarmMessage> parse_alarm(std::string_view payload) {
  base::ByteReader from(payload);
  AlarmMessage alarm;
  alarm.what = from.text();
  alarm.destination = from.text();
  alarm.text = from.text();
  alarm.is_over = take_bool(from);
  if (!is_whole(from, payload)) return std::nullopt;
  return alarm;
}

std::string to_payload(const ModeMessage& mode) {
  std::string out;
  base::append_number<std::uint8_t>(out, mode.mode);
  base::append_number<std::int64_t>(out, mode.until);
  return out;
}

std::optional<ModeMessage> parse_mode(std::string_view payload) {
  base::ByteReader from(payload);
  ModeMessage mode;
  mode.mode = static_cast<std::uint8_t>(take_enum(from, model::kRowModes));
  mode.until = from.number<std::int64_t>();
  if (!is_whole(from, payload)) return std::nullopt;
  return mode;
}

std::string to_payload(const FollowedMessage& exchange) {
  std::string out;
  base::append_number<std::int64_t>(out, exchange.at);
  append_cut(out, exchange.map);
  append_cut(out, exchange.key);
  append_cut(out, exchange.reply);
  return out;
}

std::optional<FollowedMessage> parse_followed(std::string_view payload) {
  base::ByteReader from(payload);
  FollowedMessage exchange;
  exchange.at = from.number<std::int64_t>();
  exchange.map = from.text();
  exchange.key = from.text();
  exchange.reply = from.text();
  if (!is_whole(from, payload)) return std::nullopt;
  return exchange;
}

std::string to_payload(const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < texts.size() && i < kMostTexts; ++i) append_cut(out, texts[i]);
  return out;
}

std::optional<std::vector<std::string>> parse_texts(std::string_view payload) {
  base::ByteReader from(payload);
  std::vector<std::string> texts;
  while (from.ok() && from.at() < payload.size() && texts.size() < kMostTexts) {
    texts.emplace_back(from.text());
  }
  if (!is_whole(from, payload)) return std::nullopt;
  return texts;
}

std::string to_payload(const IngestStats& stats) {
  return to_bytes(stats);
}
std::optional<IngestStats> parse_ingest_stats(std::string_view payload) {
  return from_bytes<IngestStats>(payload);
}

std::string to_payload(const AnswerStats& stats) {
  return to_bytes(stats);
}
std::optional<AnswerStats> parse_answer_stats(std::string_view payload) {
  return from_bytes<AnswerStats>(payload);
}

std::string to_payload(std::uint64_t number) {
  return to_bytes(number);
}
std::optional<std::uint64_t> parse_u64(std::string_view payload) {
  return from_bytes<std::uint64_t>(payload);
}

std::string uid_payload(std::optional<std::uint32_t> uid) {
  return to_payload(uid ? std::uint64_t{*uid} + 1 : 0);
}

std::int64_t parse_uid(std::string_view payload) {
  return static_cast<std::int64_t>(parse_u64(payload).value_or(0)) - 1;
}

}  // namespace wire
