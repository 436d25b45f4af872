#include "src/jobs/inbound_tallies.h"

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

// What differs most: who sent it, under which rule.
template <class Text>
std::size_t InboundTallies::Hash::operator()(const Case<Text>& each) const {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15U;
  const auto domain = std::hash<std::string_view>{}(each.sender_domain);
  const auto network = std::hash<std::string_view>{}(
      {reinterpret_cast<const char*>(each.network.address.data()), each.network.address.size()});
  return (domain ^ (network + static_cast<std::size_t>(each.rule))) * kOdd;
}

bool InboundTallies::count(const Judged& judged) {
  auto cut = judged;
  cut.sender_domain = cut.sender_domain.substr(0, kLongestText);
  const auto found = counts_.find(cut);
  if (found != counts_.end()) {
    ++found->second;
    return true;
  }
  if (counts_.size() >= most_) return false;
  counts_.emplace(Kept{cut.hour, cut.rule, cut.network, std::string(cut.sender_domain),
                       std::string(cut.required), std::string(cut.got), std::string(cut.action)},
                  1);
  return true;
}

std::vector<model::InboundCount> InboundTallies::take() {
  std::vector<model::InboundCount> taken;
  taken.reserve(counts_.size());
  for (const auto& [kept, count] : std::exchange(counts_, {})) {
    taken.push_back({{kept.hour, kept.rule, base::printable(kept.sender_domain, kLongestText),
                      text_of(kept.network), kept.required, kept.got, kept.action},
                     count});
  }
  return taken;
}

}  // namespace jobs
