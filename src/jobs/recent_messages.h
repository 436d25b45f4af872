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

  // True where it is seen for the first time, or again after it was forgotten.
  bool add(std::string_view message) {
    const auto hash = std::hash<std::string_view>{}(message) | 1U;  // 0 is a free place
    auto& bucket = buckets_[(hash >> 1U) % kBuckets];
    if (std::find(bucket.begin(), bucket.end(), hash) != bucket.end()) return false;
    std::rotate(bucket.rbegin(), bucket.rbegin() + 1, bucket.rend());
    bucket.front() = hash;
    return true;
  }

 private:
  static constexpr std::size_t kBuckets = 2048;
  std::vector<std::array<std::size_t, kWays>> buckets_{kBuckets};
};

}  // namespace jobs
