// The policy image on the byte level: one flat, position-independent, checksummed file. Little
// endian, every number at an offset that memcpy reads; nothing is trusted, each access is
// bounds-checked.
//
//   header | profiles | inbound rules | submission rules | row records, in ascending byte order of
//   destination | text pool | hash slots
//
// A reader of another format version refuses the file; there is no conversion, `store` compiles
// anew.
//
//   record  u32 head: profile index (17 bits), length of the destination (11 bits), kHas... flags
//   (4);
//           [i64 expires_at] [u32 match: offset in the pool] [u32 fault: likewise]; the destination
//   text    u16 length, bytes; each text once, however many rows share it
//   slot    u64: upper half the tag (upper half of the destination's XXH3), lower half the record's
//           offset plus one; 0 is empty. Slots stand in ascending order of tag, each at its home
//           (tag * home_slots >> 32) or as near behind it as there was room, so a search ends at
//           the first greater tag.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace image {

static_assert(std::endian::native == std::endian::little, "images are little endian");

inline constexpr std::array<char, 8> kMagic{'T', 'L', 'S', 'P', 'I', 'M', 'G', '\n'};
inline constexpr std::uint32_t kFormatVersion = 2;

// Bounds, so that a hostile file costs no more than an honest one.
inline constexpr std::uint64_t kLargestImage = std::uint64_t{4} << 30U;
inline constexpr std::uint32_t kMostRows = 20'000'000;
inline constexpr std::uint32_t kMostProfiles = 100'000;
// Of each of the tables inbound and submission; the rules are read whole when an image is opened.
inline constexpr std::uint32_t kMostRules = 200'000;
// Of a row's destination, a malformed one included; far above model::kLongestDestination.
inline constexpr std::size_t kLongestKey = 2047;
// Of a match or an attribute of a profile. Postfix takes replies of 100,000 bytes at most [F 1.9].
inline constexpr std::size_t kLongestText = 60'000;
// Of the reason why a row can't be used; the rest is cut.
inline constexpr std::size_t kLongestFault = 1'000;

// Which policy this is; shown by status, compared by the roles.
struct Stamp {
  std::int64_t built_at = 0;  // seconds since the epoch
  std::uint64_t rows = 0;
  std::uint64_t faulty_rows = 0;
  std::uint64_t profiles = 0;
  std::uint64_t inbound_rules = 0;
  std::uint64_t submission_rules = 0;
  std::uint64_t digest = 0;  // of the content: equal content, equal digest; not of built_at
};

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kFormatVersion;
  std::uint32_t profiles = 0;
  std::uint32_t rows = 0;
  std::uint32_t faulty_rows = 0;
  std::uint32_t home_slots = 0;
  std::uint32_t slots = 0;
  std::uint32_t inbound_rules = 0;
  std::uint32_t submission_rules = 0;
  std::int64_t built_at = 0;
  std::uint64_t digest = 0;        // XXH3 of everything behind the header
  std::uint64_t profiles_end = 0;  // each section begins where the one before it ends
  std::uint64_t rules_end = 0;
  std::uint64_t records_end = 0;
  std::uint64_t pool_end = 0;
  std::uint64_t image_end = 0;
  std::uint64_t checksum = 0;  // XXH3 of the header up to here
};
static_assert(sizeof(Header) == 104 && std::is_trivially_copyable_v<Header>);

// The head of a record.
inline constexpr unsigned kProfileBits = 17;
inline constexpr unsigned kKeyBits = 11;
inline constexpr std::uint32_t kProfileMask = (1U << kProfileBits) - 1;
inline constexpr std::uint32_t kKeyMask = (1U << kKeyBits) - 1;
inline constexpr std::uint32_t kIsObserved = 1U << 28U;
inline constexpr std::uint32_t kHasExpiry = 1U << 29U;
inline constexpr std::uint32_t kHasMatch = 1U << 30U;
inline constexpr std::uint32_t kHasFault = 1U << 31U;
static_assert(kMostProfiles <= kProfileMask && kLongestKey <= kKeyMask);

// Where the search for a tag begins.
[[nodiscard]] constexpr std::uint64_t home_of(std::uint32_t tag, std::uint32_t home_slots) {
  return (std::uint64_t{tag} * home_slots) >> 32U;
}

}  // namespace image
