#include "tests/bench/histogram.h"

#include <algorithm>
#include <bit>

namespace bench {

std::size_t Histogram::find_bucket(std::uint64_t value) {
  if (value < (1U << kBits)) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
  return ((static_cast<std::size_t>(shift) + 1) << kBits) + ((value >> shift) - (1U << kBits));
}

std::uint64_t Histogram::find_top(std::size_t bucket) {
  if (bucket < (1U << kBits)) return bucket;
  const auto shift = (bucket >> kBits) - 1;
  const std::uint64_t step = (bucket & ((1U << kBits) - 1)) + (1U << kBits);
  return ((step + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t nanoseconds) {
  ++buckets_[find_bucket(nanoseconds)];
  ++count_;
  largest_ = std::max(largest_, nanoseconds);
}

std::uint64_t Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen > wanted) return std::min(find_top(bucket), largest_);
  }
  return largest_;
}

}  // namespace bench
