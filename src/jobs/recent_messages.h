// Which messages were seen lately, by a hash of their name. Bounded, and without an allocation per
// message: the older ones of a bucket give way to new ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace jobs {

class RecentMessages {
 public:
  // So many at least are told apart; one may be forgotten after that.
  static constexpr std::size_t kWays = 8;  // a cache line

  // What add() is asked with. Its place in memory is fetched meanwhile.
  struct Name {
    std::size_t hash = 0;
  };
  [[nodiscard]] Name look_ahead(std::string_view message) const {
    const Name name{std::hash<std::string_view>{}(message) | 1U};  // 0 is a free place
    __builtin_prefetch(&buckets_[bucket_of(name)]);
    return name;
  }

  // True where it is seen for the first time, or again after it was forgotten.
  bool add(Name name) {
    auto& bucket = buckets_[bucket_of(name)].names;
    if (std::find(bucket.begin(), bucket.end(), name.hash) != bucket.end()) return false;
    std::copy_backward(bucket.begin(), bucket.end() - 1, bucket.end());
    bucket.front() = name.hash;
    return true;
  }

 private:
  static constexpr std::size_t kBuckets = 2048;
  struct alignas(64) Bucket {
    std::array<std::size_t, kWays> names{};
  };
  static std::size_t bucket_of(Name name) { return (name.hash >> 1U) % kBuckets; }

  std::vector<Bucket> buckets_{kBuckets};
};

}  // namespace jobs
