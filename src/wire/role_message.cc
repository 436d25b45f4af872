#include "src/wire/role_message.h"

#include <cstring>
#include <type_traits>

namespace wire {
namespace {

// Both ends are the same binary on the same host, so the bytes of a plain struct are its wire form.
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

}  // namespace wire
