#include "src/engine/inbound_book.h"

#include <algorithm>
#include <cstring>

#include "src/base/text.h"

namespace engine {
namespace {

constexpr std::string_view kNullSender = "<>";

model::AddressBytes masked(const model::AddressBytes& address, unsigned prefix) {
  model::AddressBytes bytes{};
  const unsigned whole = prefix / 8;
  std::copy_n(address.begin(), whole, bytes.begin());
  if (prefix % 8 != 0) {
    bytes.at(whole) = static_cast<std::uint8_t>(address.at(whole) & (0xff00U >> (prefix % 8)));
  }
  return bytes;
}

bool is_over(const model::InboundRule& rule, base::sys_seconds now) {
  return rule.expires_at != 0 && rule.expires_at <= now.time_since_epoch().count();
}

// Calls `visit` with the name's suffixes behind each dot, longest first, until it says true.
template <class Visit>
bool walk_parents(std::string_view name, const Visit& visit) {
  for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    if (visit(name.substr(dot + 1))) return true;
  }
  return false;
}

}  // namespace

Bringer make_bringer(const model::MailFacts& facts) {
  Bringer bringer;
  bringer.address = model::parse_address(facts.client_address);
  if (facts.client_name != "unknown") bringer.name = base::to_lower(facts.client_name);
  bringer.sender = model::normalise_sender(facts.sender);
  return bringer;
}

std::size_t InboundBook::NetworkHash::operator()(const model::Network& network) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, network.address.data(), sizeof high);
  std::memcpy(&low, network.address.data() + sizeof high, sizeof low);
  // Keys come from admins, questions can't add any: a multiplication spreads them well enough.
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = (high ^ (low * kOdd) ^ network.prefix) * kOdd;
  return mixed ^ (mixed >> 32U);
}

InboundBook::InboundBook(std::span<const model::InboundRule> rules) {
  for (const auto& rule : rules) add(rule);
  for (const auto& [network, group] : networks_) prefixes_.push_back(network.prefix);
  std::sort(prefixes_.begin(), prefixes_.end(), std::greater<>());
  prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end()), prefixes_.end());
}

void InboundBook::add(const model::InboundRule& rule) {
  std::string sender = rule.sender;
  if (!sender.empty() && sender != kNullSender) {
    auto parsed = model::parse_sender(sender);
    if (!parsed) return;
    sender = std::move(parsed->text);
  }
  Group* group = &any_client_;
  if (!rule.client.empty()) {
    auto client = model::parse_client(rule.client);
    if (!client) {
      // At fault, but for a network that is known: its mail is not let pass.
      const auto network = model::parse_network_loosely(rule.client);
      if (!network) return;
      client = model::ClientMatch{model::ClientMatch::Kind::Network, *network, {}};
    }
    switch (client->kind) {
      case model::ClientMatch::Kind::Network:
        group = &networks_[client->network];
        break;
      case model::ClientMatch::Kind::Name:
        group = &names_[client->name];
        break;
      case model::ClientMatch::Kind::Suffix:
        group = &suffixes_[client->name];
        break;
    }
  }
  // The first one written holds; the reader of the table has blamed the second.
  Rule& place = sender.empty() ? group->any : group->senders[sender];
  if (place != nullptr) return;
  place = &rule;
  ++size_;
}

template <class Visit>
bool InboundBook::walk_clients(const Bringer& bringer, const Visit& visit) const {
  if (bringer.address) {
    // "::/0" means IPv6: an IPv4 address is no part of it, though it is written inside one.
    const unsigned shortest = model::is_ipv4(*bringer.address) ? model::kIpv4Bits : 0;
    for (const unsigned prefix : prefixes_) {
      if (prefix < shortest) break;
      const auto found = networks_.find({masked(*bringer.address, prefix), prefix});
      if (found != networks_.end() && visit(found->second)) return true;
    }
  }
  if (bringer.name.empty()) return false;
  if (const auto found = names_.find(bringer.name); found != names_.end() && visit(found->second)) {
    return true;
  }
  return walk_parents(bringer.name, [&](std::string_view suffix) {
    const auto found = suffixes_.find(suffix);
    return found != suffixes_.end() && visit(found->second);
  });
}

template <class Visit>
bool InboundBook::walk_senders(const Group& group, const model::SenderKey& sender,
                               const Visit& visit) {
  if (group.senders.empty()) return false;
  const auto look = [&](std::string_view key) {
    const auto found = group.senders.find(key);
    return found != group.senders.end() && visit(*found->second);
  };
  if (sender.address.empty()) return look(kNullSender);
  const auto domain = sender.domain();
  // A peer may send "example.com" or "u@.example.com" for an address; neither is the text of a
  // rule.
  if (domain.empty()) return false;
  if (look(sender.address)) return true;
  const bool is_name = domain.front() != '.' && domain != kNullSender;
  if (is_name && look(domain)) return true;
  std::string parent;
  return walk_parents(domain, [&](std::string_view suffix) {
    parent.assign(".").append(suffix);
    return look(parent);
  });
}

std::vector<InboundMatch> InboundBook::find(const Bringer& bringer, base::sys_seconds now) const {
  std::vector<InboundMatch> found;
  const auto take = [&found, now](Rule rule, InboundStep step) {
    if (rule == nullptr || is_over(*rule, now)) return false;
    found.push_back({rule, step});
    return true;
  };
  const bool is_client =
      walk_clients(bringer,
                   [&](const Group& group) {
                     return walk_senders(group, bringer.sender,
                                         [&](const model::InboundRule& rule) {
                                           return take(&rule, InboundStep::ClientAndSender);
                                         });
                   }) ||
      walk_clients(bringer,
                   [&](const Group& group) { return take(group.any, InboundStep::Client); });
  if (is_client) return found;
  walk_senders(any_client_, bringer.sender, [&](const model::InboundRule& rule) {
    take(&rule, InboundStep::Sender);
    return false;
  });
  take(any_client_.any, InboundStep::Any);
  return found;
}

}  // namespace engine
