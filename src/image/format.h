// The policy image on the byte level: one flat, position-independent, checksummed file. Little endian,
// every number at an offset that memcpy reads; nothing is trusted, each access is bounds-checked.
//
//   header | profiles | row records, in ascending byte order of destination | text pool | hash slots
//
// A reader of another format version refuses the file; there is no conversion, `store` compiles anew.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace image {

inline constexpr std::array<char, 8> kMagic{'T', 'L', 'S', 'P', 'I', 'M', 'G', '\n'};
inline constexpr std::uint32_t kFormatVersion = 1;

// Bounds, so that a hostile file costs no more than an honest one.
inline constexpr std::uint64_t kLargestImage = std::uint64_t{4} << 30U;
inline constexpr std::uint32_t kMostRows = 20'000'000;
inline constexpr std::uint32_t kMostProfiles = 100'000;

// Which policy this is; shown by status, compared by the roles.
struct Stamp {
  std::int64_t built_at = 0;      // seconds since the epoch
  std::uint64_t rows = 0;
  std::uint64_t faulty_rows = 0;
  std::uint64_t profiles = 0;
  std::uint64_t digest = 0;       // of the content: equal content, equal digest; not of built_at
};

}  // namespace image
