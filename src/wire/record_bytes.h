// Enumerators and flags in and out of the records that the roles send each other: a byte each, and
// a reading of one that is none fails for good.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "src/base/bytes.h"

namespace wire {

inline constexpr std::uint8_t kAbsent = 0xFF;

// Enumerators and bool.
template <class E>
void append_optional(std::string& out, const std::optional<E>& value) {
  base::append_number<std::uint8_t>(out, value ? static_cast<std::uint8_t>(*value) : kAbsent);
}

inline void append_bool(std::string& out, bool value) {
  base::append_number<std::uint8_t>(out, value ? 1 : 0);
}

// One of `known`, or a failed reader.
template <class E, std::size_t N>
E take_enum(base::ByteReader& from, const std::array<E, N>& known) {
  const auto number = from.number<std::uint8_t>();
  const auto found = std::find_if(known.begin(), known.end(), [number](E each) {
    return static_cast<std::uint8_t>(each) == number;
  });
  if (found != known.end()) return *found;
  from.fail();
  return known.front();
}

template <class E, std::size_t N>
std::optional<E> take_optional(base::ByteReader& from, const std::array<E, N>& known) {
  base::ByteReader ahead = from;
  if (ahead.number<std::uint8_t>() != kAbsent) return take_enum(from, known);
  from = ahead;
  return std::nullopt;
}

inline bool take_bool(base::ByteReader& from) {
  const auto byte = from.number<std::uint8_t>();
  if (byte > 1) from.fail();
  return byte == 1;
}

}  // namespace wire
