#include "src/jobs/inbound_tallies.h"

#include <cstring>
#include <functional>
#include <utility>

#include "src/base/text.h"

namespace jobs {
namespace {

constexpr std::size_t kFewestSlots = 64;

// A client without an address has no network.
std::string text_of(const model::Network& network) {
  return network == model::Network{} ? std::string() : model::to_text(network);
}

// Of what differs most: who sent it, under which rule.
std::size_t hash_of(const InboundTallies::Judged& judged, std::string_view domain) {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15U;
  std::array<std::uint64_t, 2> network{};
  std::memcpy(network.data(), judged.network.address.data(), sizeof network);
  const auto client = (network[0] ^ static_cast<std::uint64_t>(judged.rule)) * kOdd + network[1];
  const auto mixed = (std::hash<std::string_view>{}(domain) ^ client) * kOdd;
  return mixed ^ (mixed >> 32U);
}

}  // namespace

bool InboundTallies::is_same(const Case& each, std::size_t hash, const Judged& judged,
                             const Texts& texts) const {
  if (each.hash != hash || each.hour != judged.hour || each.rule != judged.rule ||
      each.network != judged.network) {
    return false;
  }
  std::size_t at = each.texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto kept = std::string_view(texts_).substr(at, each.sizes.at(i));
    if (kept != texts.at(i)) return false;
    at += kept.size();
  }
  return true;
}

std::size_t InboundTallies::find_slot(std::size_t hash, const Judged& judged,
                                      const Texts& texts) const {
  const std::size_t mask = slots_.size() - 1;
  auto slot = hash & mask;
  while (slots_[slot] != 0 && !is_same(cases_[slots_[slot] - 1], hash, judged, texts)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void InboundTallies::make_room() {
  if (2 * (cases_.size() + 1) <= slots_.size()) return;
  slots_.assign(slots_.empty() ? kFewestSlots : 2 * slots_.size(), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    auto slot = cases_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

bool InboundTallies::count(const Judged& judged) {
  const Texts texts{judged.sender_domain.substr(0, kLongestText), judged.required, judged.got,
                    judged.action};
  const auto hash = hash_of(judged, texts.front());
  make_room();
  const auto slot = find_slot(hash, judged, texts);
  if (slots_[slot] != 0) {
    ++cases_[slots_[slot] - 1].count;
    return true;
  }
  if (cases_.size() >= most_) return false;
  Case added{hash, judged.hour, judged.rule, judged.network, {}, texts_.size(), 1};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    added.sizes.at(i) = static_cast<std::uint32_t>(texts.at(i).size());
    texts_ += texts.at(i);
  }
  cases_.push_back(added);
  slots_[slot] = static_cast<std::uint32_t>(cases_.size());
  return true;
}

std::vector<model::InboundCount> InboundTallies::take() {
  std::vector<model::InboundCount> taken;
  taken.reserve(cases_.size());
  for (const auto& each : cases_) {
    std::array<std::string, 4> texts;
    std::size_t at = each.texts;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts.at(i) = texts_.substr(at, each.sizes.at(i));
      at += each.sizes.at(i);
    }
    taken.push_back(
        {{each.hour, each.rule, base::printable(texts[0], kLongestText), text_of(each.network),
          std::move(texts[1]), std::move(texts[2]), std::move(texts[3])},
         each.count});
  }
  cases_.clear();
  texts_.clear();
  slots_.assign(slots_.size(), 0);
  return taken;
}

}  // namespace jobs
