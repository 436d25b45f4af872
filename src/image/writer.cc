#include "src/image/writer.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "src/base/bytes.h"
#include "src/base/text.h"
#include "src/image/profile_codec.h"
#include "src/image/rule_codec.h"
#include "src/image/sealed_file.h"

namespace image {
namespace {

// What a row takes beside its destination, mostly; only a hint for reserve().
constexpr std::uint64_t kUsualRecord = 28;

std::string_view text_at(const std::string& pool, std::uint32_t offset) {
  return base::ByteReader(pool, offset).text();
}

std::uint32_t tag_of(std::uint64_t slot) {
  return static_cast<std::uint32_t>(slot >> 32U);
}

// By tag: three passes of a counting sort, stable, so that equal content gives equal bytes.
void sort_by_tag(std::vector<std::uint64_t>& slots) {
  constexpr unsigned kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  std::vector<std::uint64_t> sorted(slots.size());
  for (unsigned shift = 32; shift < 64; shift += kDigitBits) {
    const auto digit = [shift](std::uint64_t slot) { return (slot >> shift) & (kDigits - 1); };
    std::array<std::size_t, kDigits + 1> starts{};
    for (const auto slot : slots) ++starts[digit(slot) + 1];
    for (std::size_t i = 1; i <= kDigits; ++i) starts[i] += starts[i - 1];
    for (const auto slot : slots) sorted[starts[digit(slot)]++] = slot;
    slots.swap(sorted);
  }
}

// The slots with the gaps between them; `home_slots` is what the homes were counted by.
std::vector<std::uint64_t> place(std::vector<std::uint64_t> slots, std::uint32_t home_slots) {
  sort_by_tag(slots);
  std::vector<std::uint64_t> placed(home_slots);
  std::uint64_t free = 0;
  for (const auto slot : slots) {
    free = std::max(free, home_of(tag_of(slot), home_slots));
    if (free >= placed.size()) placed.resize(free + 1);
    placed[free++] = slot;
  }
  return placed;
}

std::string_view bytes_of(const std::vector<std::uint64_t>& slots) {
  return {reinterpret_cast<const char*>(slots.data()), slots.size() * sizeof(std::uint64_t)};
}

std::uint64_t digest_of(std::initializer_list<std::string_view> parts) {
  const base::Handle<XXH3_state_t, XXH3_freeState> state(XXH3_createState());
  if (!state) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  for (const auto part : parts) XXH3_64bits_update(state.get(), part.data(), part.size());
  return XXH3_64bits_digest(state.get());
}

}  // namespace

std::size_t Writer::PoolHash::operator()(std::string_view text) const {
  return XXH3_64bits(text.data(), text.size());
}
std::size_t Writer::PoolHash::operator()(std::uint32_t offset) const {
  return (*this)(text_at(*pool, offset));
}
bool Writer::PoolEqual::operator()(std::string_view text, std::uint32_t offset) const {
  return text == text_at(*pool, offset);
}
bool Writer::PoolEqual::operator()(std::uint32_t offset, std::string_view text) const {
  return text == text_at(*pool, offset);
}

Writer::Writer(const WriterLimits& limits)
    : limits_(limits), texts_(0, PoolHash{&pool_}, PoolEqual{&pool_}) {}
Writer::~Writer() = default;

void Writer::expect_rows(std::uint64_t rows) {
  rows = std::min<std::uint64_t>(rows, limits_.rows);
  records_.reserve(rows * kUsualRecord);
  slots_.reserve(rows);
}

base::Result<std::uint32_t> Writer::add_profile(const model::Profile& profile) {
  if (profile_count_ == limits_.profiles) {
    return base::Error{fmt::format("more than {} profiles", limits_.profiles)};
  }
  if (auto appended = append_profile(profiles_, profile); !appended) {
    return base::Error{appended.error()};
  }
  return profile_count_++;
}

base::Result<void> Writer::add_rule(const model::InboundRule& rule) {
  if (inbound_count_ == limits_.rules) {
    return base::Error{fmt::format("table inbound has more than {} rows", limits_.rules)};
  }
  append_rule(inbound_, rule);
  ++inbound_count_;
  return {};
}

base::Result<void> Writer::add_rule(const model::SubmissionRule& rule) {
  if (submission_count_ == limits_.rules) {
    return base::Error{fmt::format("table submission has more than {} rows", limits_.rules)};
  }
  append_rule(submission_, rule);
  ++submission_count_;
  return {};
}

base::Result<void> Writer::check(const Row& row) const {
  const auto refuse = [&row](std::string_view why) {
    return base::Error{fmt::format("row \"{}\" {}", base::printable(row.destination, 100), why)};
  };
  if (row.destination.empty() || row.destination.size() > kLongestKey) {
    return refuse(fmt::format("has a destination of {} bytes; 1 to {} are allowed",
                              row.destination.size(), kLongestKey));
  }
  const auto last = std::string_view(records_).substr(records_.size() - last_key_size_);
  if (row.destination <= last) {
    return refuse(fmt::format("doesn't come behind \"{}\"", base::printable(last, 100)));
  }
  if (row.match.size() > kLongestText) {
    return refuse(
        fmt::format("has a match of {} bytes; {} are allowed", row.match.size(), kLongestText));
  }
  if (row.fault.empty() && row.profile >= profile_count_) return refuse("has no known profile");
  if (slots_.size() == limits_.rows)
    return refuse(fmt::format("is one more than {}", limits_.rows));
  if (records_.size() + 2 * kLongestKey > limits_.section ||
      pool_.size() + 2 * (kLongestText + kLongestFault) > limits_.section) {
    return refuse("is more than an image can hold");
  }
  return {};
}

base::Result<void> Writer::add_row(const Row& row) {
  if (auto checked = check(row); !checked) return checked;
  const bool is_faulty = !row.fault.empty();
  std::uint32_t head = (is_faulty ? 0 : row.profile) |
                       (static_cast<std::uint32_t>(row.destination.size()) << kProfileBits);
  if (row.mode == model::RowMode::Observe) head |= kIsObserved;
  if (row.expires_at != 0) head |= kHasExpiry;
  if (!row.match.empty()) head |= kHasMatch;
  if (is_faulty) head |= kHasFault;

  const std::uint64_t hash = XXH3_64bits(row.destination.data(), row.destination.size());
  slots_.push_back((hash >> 32U << 32U) | (records_.size() + 1));
  base::append_number<std::uint32_t>(records_, head);
  if (row.expires_at != 0) base::append_number<std::int64_t>(records_, row.expires_at);
  if (!row.match.empty()) base::append_number<std::uint32_t>(records_, offset_in_pool(row.match));
  if (is_faulty) {
    base::append_number<std::uint32_t>(records_,
                                       offset_in_pool(row.fault.substr(0, kLongestFault)));
    ++faulty_rows_;
  }
  records_.append(row.destination);
  last_key_size_ = row.destination.size();
  return {};
}

std::uint32_t Writer::offset_in_pool(std::string_view text) {
  if (const auto known = texts_.find(text); known != texts_.end()) return *known;
  const auto offset = static_cast<std::uint32_t>(pool_.size());
  base::append_text(pool_, text);
  texts_.insert(offset);
  return offset;
}

base::Result<base::UniqueFd> Writer::finish(base::sys_seconds built_at) {
  Header header;
  header.profiles = profile_count_;
  header.rows = static_cast<std::uint32_t>(slots_.size());
  header.faulty_rows = faulty_rows_;
  header.inbound_rules = inbound_count_;
  header.submission_rules = submission_count_;
  // A quarter more slots than rows: a search sees two or three of them.
  header.home_slots = header.rows + header.rows / 4 + 1;
  const auto slots = place(std::move(slots_), header.home_slots);
  header.slots = static_cast<std::uint32_t>(slots.size());
  header.built_at = built_at.time_since_epoch().count();
  header.digest = digest_of({profiles_, inbound_, submission_, records_, pool_, bytes_of(slots)});
  header.profiles_end = sizeof(Header) + profiles_.size();
  header.rules_end = header.profiles_end + inbound_.size() + submission_.size();
  header.records_end = header.rules_end + records_.size();
  header.pool_end = header.records_end + pool_.size();
  header.image_end = header.pool_end + bytes_of(slots).size();
  header.checksum = XXH3_64bits(&header, offsetof(Header, checksum));

  base::Result<base::UniqueFd> sealed = base::Error{fmt::format(
      "the policy image would have {} bytes, {} are allowed", header.image_end, limits_.image)};
  if (header.image_end <= limits_.image) {
    const std::string_view head(reinterpret_cast<const char*>(&header), sizeof(Header));
    sealed = seal("tlspolicyd-image",
                  {head, profiles_, inbound_, submission_, records_, pool_, bytes_of(slots)});
  }
  clear();
  return sealed;
}

void Writer::clear() {
  texts_.clear();
  for (std::string* section : {&profiles_, &inbound_, &submission_, &records_, &pool_}) {
    section->clear();
    section->shrink_to_fit();
  }
  slots_ = {};
  profile_count_ = 0;
  inbound_count_ = 0;
  submission_count_ = 0;
  last_key_size_ = 0;
  faulty_rows_ = 0;
}

}  // namespace image
