#include "src/engine/network_index.h"

#include <functional>
#include <utility>

namespace engine {
namespace {

void insert_sorted(std::vector<unsigned>& prefixes, unsigned prefix) {
  const auto at = std::ranges::lower_bound(prefixes, prefix, std::greater<>());
  if (at == prefixes.end() || *at != prefix) prefixes.insert(at, prefix);
}

}  // namespace

NetworkIndex::Bits NetworkIndex::to_bits(const model::AddressBytes& address) {
  Bits bits;
  for (std::size_t i = 0; i < 8; ++i) {
    bits.high = bits.high << 8U | address[i];
    bits.low = bits.low << 8U | address[i + 8];
  }
  return bits;
}

std::size_t NetworkIndex::add(const model::Network& network) {
  make_room();
  const Bits bits = to_bits(network.address);
  auto& slot = slots_[slot_of(bits, network.prefix)];
  if (slot.number != kFree) return slot.number;
  const bool is_ipv4 = network.prefix >= model::kIpv4Bits && model::is_ipv4(network.address);
  insert_sorted(is_ipv4 ? ipv4_prefixes_ : ipv6_prefixes_, network.prefix);
  slot = {bits, network.prefix, static_cast<std::uint32_t>(size_)};
  return size_++;
}

void NetworkIndex::make_room() {
  if (2 * (size_ + 1) <= slots_.size()) return;
  const auto before = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const auto& slot : before) {
    if (slot.number != kFree) slots_[slot_of(slot.bits, slot.prefix)] = slot;
  }
}

}  // namespace engine
