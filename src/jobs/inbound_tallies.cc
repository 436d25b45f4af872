#include "src/jobs/inbound_tallies.h"

#include <cstring>
#include <functional>
#include <utility>

#include "src/base/text.h"

namespace jobs {
namespace {

// A client without an address has no network.
std::string text_of(const model::Network& network) {
  return network == model::Network{} ? std::string() : model::to_text(network);
}

}  // namespace

InboundTallies::Origin InboundTallies::look_ahead(const model::Network& network,
                                                  std::string_view sender_domain) const {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15U;
  std::array<std::uint64_t, 2> client{};
  std::memcpy(client.data(), network.address.data(), sizeof client);
  const auto domain = std::hash<std::string_view>{}(sender_domain.substr(0, kLongestText));
  const auto mixed = (domain ^ (client[0] * kOdd + client[1])) * kOdd;
  const Origin origin{mixed ^ (mixed >> 32U)};
  __builtin_prefetch(&slots_[origin.hash & (slots_.size() - 1)]);
  return origin;
}

bool InboundTallies::is_same(const Case& each, const Judged& judged, const Texts& texts) const {
  if (each.hour != judged.hour || each.rule != judged.rule || each.network != judged.network) {
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

std::size_t InboundTallies::find_slot(Origin origin, const Judged& judged,
                                      const Texts& texts) const {
  const std::size_t mask = slots_.size() - 1;
  for (auto at = origin.hash & mask;; at = (at + 1) & mask) {
    const auto& [tag, number] = slots_[at];
    const bool is_it =
        tag == tag_of(origin) && number != 0 && is_same(cases_[number - 1], judged, texts);
    if (number == 0 || is_it) return at;
  }
}

void InboundTallies::make_room() {
  if (2 * (cases_.size() + 1) <= slots_.size()) return;
  slots_.assign(2 * slots_.size(), {});
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    auto at = cases_[i].origin.hash & mask;
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = {tag_of(cases_[i].origin), static_cast<std::uint32_t>(i + 1)};
  }
}

bool InboundTallies::count(Origin origin, const Judged& judged) {
  const Texts texts{judged.sender_domain.substr(0, kLongestText), judged.required, judged.got,
                    judged.action};
  make_room();
  auto& slot = slots_[find_slot(origin, judged, texts)];
  if (slot.number != 0) {
    ++cases_[slot.number - 1].count;
    return true;
  }
  if (cases_.size() >= most_) return false;
  Case added{origin, judged.hour, judged.rule, judged.network, {}, texts_.size(), 1};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    added.sizes.at(i) = static_cast<std::uint32_t>(texts.at(i).size());
    texts_ += texts.at(i);
  }
  cases_.push_back(added);
  slot = {tag_of(origin), static_cast<std::uint32_t>(cases_.size())};
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
  slots_.assign(slots_.size(), {});
  return taken;
}

}  // namespace jobs
