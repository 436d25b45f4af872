#include "src/engine/inbound_book.h"

#include "src/base/text.h"

namespace engine {
namespace {

constexpr std::string_view kNullSender = "<>";

bool is_over(const model::InboundDemand& demand, base::sys_seconds now) {
  return demand.expires_at != 0 && demand.expires_at <= now.time_since_epoch().count();
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
  make_bringer(facts, bringer);
  return bringer;
}

void make_bringer(const model::MailFacts& facts, Bringer& bringer) {
  bringer.address = model::parse_address(facts.client_address);
  bringer.name.assign(facts.client_name == "unknown" ? std::string_view() : facts.client_name);
  base::lower_in_place(bringer.name);
  model::normalise_sender(facts.sender, bringer.sender);
}

InboundBook::InboundBook(std::span<const model::InboundRule> rules) {
  for (const auto& rule : rules) add(rule);
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
  if (!sender.empty() && !group->senders) group->senders = std::make_unique<ByText<InboundTerms>>();
  auto& place = sender.empty() ? group->any : (*group->senders)[sender];
  if (place.rule != nullptr) return;
  place = {&rule, rule, model::is_demand_alone(rule)};
  ++size_;
}

template <class Visit>
void InboundBook::walk_clients(const Bringer& bringer, const Visit& visit) const {
  if (bringer.address && networks_.walk(*bringer.address, visit)) return;
  if (bringer.name.empty()) return;
  if (const auto found = names_.find(bringer.name); found != names_.end() && visit(found->second)) {
    return;
  }
  walk_parents(bringer.name, [&](std::string_view suffix) {
    const auto found = suffixes_.find(suffix);
    return found != suffixes_.end() && visit(found->second);
  });
}

template <class Visit>
bool InboundBook::walk_senders(const Group& group, const model::SenderKey& sender,
                               const Visit& visit) {
  if (!group.senders) return false;
  const auto look = [&](std::string_view key) {
    const auto found = group.senders->find(key);
    return found != group.senders->end() && visit(found->second);
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

InboundMatches InboundBook::find(const Bringer& bringer, base::sys_seconds now) const {
  InboundMatches found;
  const auto holds = [now](const InboundTerms& terms) {
    return terms.rule != nullptr && !is_over(terms.demand, now);
  };
  walk_clients(bringer, [&](const Group& group) {
    if (!found.by_client && holds(group.any)) found.by_client = {&group.any, InboundStep::Client};
    return walk_senders(group, bringer.sender, [&](const InboundTerms& terms) {
      if (holds(terms)) found.by_client = {&terms, InboundStep::ClientAndSender};
      return holds(terms);
    });
  });
  if (found.by_client) return found;
  walk_senders(any_client_, bringer.sender, [&](const InboundTerms& terms) {
    if (holds(terms)) found.others.push_back({&terms, InboundStep::Sender});
    return false;
  });
  if (holds(any_client_.any)) found.others.push_back({&any_client_.any, InboundStep::Any});
  return found;
}

}  // namespace engine
