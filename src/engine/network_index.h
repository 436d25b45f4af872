// Which of many networks hold an address: a look per prefix length in use, each into one flat
// table, so that a question costs no more with 100,000 networks than with ten. What a network
// stands for lies beside it: one place in memory for each look. Networks come from admins,
// questions can add none.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "src/model/client_match.h"

namespace engine {

template <class Value>
class NetworkIndex {
 public:
  // What the network stands for, made where it is new; then all others may move. Host bits must be
  // 0.
  Value& operator[](const model::Network& network) {
    make_room();
    const Bits bits = to_bits(network.address);
    auto& slot = slots_[slot_of(bits, network.prefix)];
    if (slot.prefix != kFree) return slot.value;
    const bool is_within_ipv4 = network.prefix >= model::kIpv4Bits && is_ipv4(bits);
    insert_sorted(is_within_ipv4 ? ipv4_prefixes_ : ipv6_prefixes_, network.prefix);
    slot.bits = bits;
    slot.prefix = network.prefix;
    ++size_;
    return slot.value;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

  // A walk with this address is about to follow: fetches the places where it will look.
  void look_ahead(const model::AddressBytes& address) const {
    const Bits bits = to_bits(address);
    for (const unsigned prefix : prefixes_of(bits)) {
      const auto* const slot =
          reinterpret_cast<const char*>(&slots_[home_of(masked(bits, prefix), prefix)]);
      __builtin_prefetch(slot);
      __builtin_prefetch(slot + sizeof(Slot) - 1);
    }
  }
  // Calls `visit` with what each network that holds the address stands for, the longest prefix
  // first, until it says true; then true. "::/0" means IPv6: an IPv4 address is no part of it,
  // though it is written inside one.
  template <class Visit>
  bool walk(const model::AddressBytes& address, const Visit& visit) const {
    const Bits bits = to_bits(address);
    for (const unsigned prefix : prefixes_of(bits)) {
      const auto& slot = slots_[slot_of(masked(bits, prefix), prefix)];
      if (slot.prefix != kFree && visit(slot.value)) return true;
    }
    return false;
  }

 private:
  static constexpr unsigned kFree = ~0U;
  struct Bits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Bits&) const = default;
  };
  struct Slot {
    Bits bits;
    unsigned prefix = kFree;
    Value value{};
  };

  static Bits to_bits(const model::AddressBytes& address) {
    Bits bits;
    std::memcpy(&bits.high, address.data(), sizeof bits.high);
    std::memcpy(&bits.low, address.data() + sizeof bits.high, sizeof bits.low);
    if constexpr (std::endian::native == std::endian::big) return bits;
    return {__builtin_bswap64(bits.high), __builtin_bswap64(bits.low)};
  }
  static bool is_ipv4(Bits bits) { return bits.high == 0 && bits.low >> 32U == 0xffff; }
  // The first `prefix` of 128 bits, the others 0.
  static Bits masked(Bits bits, unsigned prefix) {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    if (prefix == 0) return {};
    if (prefix <= 64) return {bits.high & (kAll << (64 - prefix)), 0};
    return {bits.high, bits.low & (kAll << (128 - prefix))};
  }
  // In use, longest first.
  [[nodiscard]] const std::vector<unsigned>& prefixes_of(Bits bits) const {
    return is_ipv4(bits) ? ipv4_prefixes_ : ipv6_prefixes_;
  }
  static void insert_sorted(std::vector<unsigned>& prefixes, unsigned prefix) {
    const auto at = std::ranges::lower_bound(prefixes, prefix, std::greater<>());
    if (at == prefixes.end() || *at != prefix) prefixes.insert(at, prefix);
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
    while (slots_[at].prefix != kFree && (slots_[at].bits != bits || slots_[at].prefix != prefix)) {
      at = (at + 1) & mask;
    }
    return at;
  }
  void make_room() {
    if (2 * (size_ + 1) <= slots_.size()) return;
    auto before = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (auto& slot : before) {
      if (slot.prefix != kFree) slots_[slot_of(slot.bits, slot.prefix)] = std::move(slot);
    }
  }

  // Open addressing; a power of two in number, and twice as many as networks at least.
  std::vector<Slot> slots_ = std::vector<Slot>(2);
  std::size_t size_ = 0;
  std::vector<unsigned> ipv4_prefixes_;
  std::vector<unsigned> ipv6_prefixes_;
};

}  // namespace engine
