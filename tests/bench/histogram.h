// Latencies in nanoseconds, counted in buckets at most 1/64 wide: exact enough for a p99.9, and
// cheap enough to fill between two system calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void record(std::uint64_t nanoseconds);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t largest() const { return largest_; }
  // The value that `share` (0 to 1) of all lie at or below, from above; 0 where there are none.
  [[nodiscard]] std::uint64_t quantile(double share) const;

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kBuckets = (64 - kBits + 1) << kBits;
  static std::size_t find_bucket(std::uint64_t value);
  static std::uint64_t find_top(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace bench
