// Which of many networks hold an address: a look per prefix length in use, each into one flat
// table, so that a question costs no more with 100,000 networks than with ten. Numbers the
// networks; what they stand for is kept by who asks. Networks come from admins, questions can add
// none.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/model/client_match.h"

namespace engine {

class NetworkIndex {
 public:
  // The network's number: 0, 1, ... in the order in which networks first came. Host bits must be 0.
  std::size_t add(const model::Network& network);
  [[nodiscard]] std::size_t size() const { return size_; }

  // A walk with this address is about to follow: fetches the places where it will look.
  void look_ahead(const model::AddressBytes& address) const {
    const Bits bits = to_bits(address);
    for (const unsigned prefix : prefixes_of(address)) {
      __builtin_prefetch(&slots_[home_of(masked(bits, prefix), prefix)]);
    }
  }
  // Calls `visit` with the number of each network that holds the address, the longest prefix
  // first, until it says true; then true. "::/0" means IPv6: an IPv4 address is no part of it,
  // though it is written inside one.
  template <class Visit>
  bool walk(const model::AddressBytes& address, const Visit& visit) const {
    const Bits bits = to_bits(address);
    for (const unsigned prefix : prefixes_of(address)) {
      const auto& slot = slots_[slot_of(masked(bits, prefix), prefix)];
      if (slot.number != kFree && visit(std::size_t{slot.number})) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kFree = ~std::uint32_t{0};
  struct Bits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Bits&) const = default;
  };
  struct Slot {
    Bits bits;
    std::uint32_t prefix = 0;
    std::uint32_t number = kFree;
  };

  static Bits to_bits(const model::AddressBytes& address);
  // The first `prefix` of 128 bits, the others 0.
  static Bits masked(Bits bits, unsigned prefix) {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    if (prefix == 0) return {};
    if (prefix <= 64) return {bits.high & (kAll << (64 - prefix)), 0};
    return {bits.high, bits.low & (kAll << (128 - prefix))};
  }
  // In use, longest first.
  [[nodiscard]] const std::vector<unsigned>& prefixes_of(const model::AddressBytes& address) const {
    return model::is_ipv4(address) ? ipv4_prefixes_ : ipv6_prefixes_;
  }
  [[nodiscard]] std::size_t home_of(Bits bits, unsigned prefix) const {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;
    const auto mixed = (bits.high ^ std::rotl(bits.low, 29) ^ prefix) * kOdd;
    const std::size_t spread = mixed >> 32U;
    return spread & (slots_.size() - 1);
  }
  // Where the network is, or the free slot where it belongs.
  [[nodiscard]] std::size_t slot_of(Bits bits, unsigned prefix) const {
    const auto mask = slots_.size() - 1;
    auto at = home_of(bits, prefix);
    while (slots_[at].number != kFree && (slots_[at].bits != bits || slots_[at].prefix != prefix)) {
      at = (at + 1) & mask;
    }
    return at;
  }
  void make_room();

  // Open addressing; a power of two in number, and twice as many as networks at least.
  std::vector<Slot> slots_ = std::vector<Slot>(2);
  std::size_t size_ = 0;
  std::vector<unsigned> ipv4_prefixes_;
  std::vector<unsigned> ipv6_prefixes_;
};

}  // namespace engine
