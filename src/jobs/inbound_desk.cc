#include "src/jobs/inbound_desk.h"

#include <utility>

#include "src/base/text.h"

namespace jobs {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::size_t kLongestText = 320;

std::optional<model::Network> network_of(const engine::Bringer& bringer) {
  if (!bringer.address) return std::nullopt;
  return model::client_network_of(*bringer.address);
}

// Whom learn_count counts: the sender's domain from one network.
std::string key_of(std::string_view domain, std::string_view network) {
  return std::string(domain) + '\n' + std::string(network);
}
std::string key_of(const engine::Bringer& bringer) {
  const auto network = network_of(bringer);
  return key_of(base::printable(bringer.sender_domain(), kLongestText),
                network ? model::to_text(*network) : std::string());
}

std::string_view action_of(const engine::Admission& admission, model::RowMode mode) {
  switch (admission.kind) {
    case engine::Admission::Kind::NoRule:
    case engine::Admission::Kind::Passed:
      return {};
    case engine::Admission::Kind::Learning:
      return "learn";
    case engine::Admission::Kind::Faulty:
      return "fault";
    case engine::Admission::Kind::Violated:
      return mode == model::RowMode::Observe ? "observe"
                                             : model::to_word(admission.rule->on_violation);
  }
  return {};
}

}  // namespace

void InboundDesk::install(std::span<const model::InboundRule> rules) {
  book_ = engine::InboundBook(rules);
  has_policy_ = true;
}

void InboundDesk::remember(const model::InboundKnown& known) {
  if (known_.size() >= kMostKnown) return;
  auto& messages = known_[key_of(known.sender_domain, known.network)];
  messages = std::max(messages, known.messages);
}

bool InboundDesk::is_known(const model::InboundDemand& demand,
                           const engine::Bringer& bringer) const {
  const auto found = known_.find(key_of(bringer));
  return found != known_.end() && found->second >= demand.learn_count;
}

// The places in memory that the answer needs come while the rule is looked for.
InboundDesk::Asked InboundDesk::look_ahead(const model::MailFacts& facts) {
  engine::make_bringer(facts, bringer_);
  if (bringer_.address) book_.look_ahead(*bringer_.address);
  Asked asked{facts, bringer_, {}, clock_.now(), messages_.look_ahead(facts.instance), {}};
  asked.network = network_of(bringer_).value_or(model::Network{});
  asked.origin = tallies_.look_ahead(asked.network, bringer_.sender_domain());
  return asked;
}

void InboundDesk::note(const engine::Admission& admission, const Asked& asked) {
  const auto now = asked.now.time_since_epoch().count();
  const auto action = action_of(admission, mode_);
  const auto& [required, got] = admission.shortfall;
  const bool is_counted =
      tallies_.count(asked.origin, {now / kHour * kHour, admission.demand->id, asked.network,
                                    asked.bringer.sender_domain(), required, got, action});
  if (!is_counted) ++dropped_;
  if (action.empty()) return;
  if (decisions_.size() >= kMostWaiting) {
    ++dropped_;
    return;
  }
  model::InboundDecision decision;
  decision.at = now;
  decision.rule = admission.demand->id;
  decision.step = engine::to_word(admission.step);
  const auto& facts = asked.facts;
  decision.client = base::printable(facts.client_address, kLongestText);
  decision.client_name = base::printable(facts.client_name, kLongestText);
  decision.sender = base::printable(facts.sender, kLongestText);
  decision.protocol = base::printable(facts.protocol, kLongestText);
  decision.required = required;
  decision.got = got;
  decision.action = action;
  decisions_.push_back(std::move(decision));
}

// Only where a rule asks for it, so that no stranger fills the table.
void InboundDesk::learn(const engine::Admission& admission, const model::MailFacts& facts,
                        const engine::Bringer& bringer) {
  if (admission.kind != engine::Admission::Kind::Passed || facts.protocol.empty() ||
      admission.demand->learn_count == 0) {
    return;
  }
  const auto key = key_of(bringer);
  const auto found = known_.find(key);
  if (found == known_.end() && known_.size() >= kMostKnown) return;
  auto& messages = known_[key];
  if (messages >= admission.demand->learn_count) return;
  ++messages;
  learnt_[key] = messages;
}

model::Ruling InboundDesk::ruling_for(const model::MailFacts& facts) {
  if (!has_policy_) {
    if (mode_ == model::RowMode::Observe) return {};
    return {model::Action::DeferIfPermit,
            "This server's TLS policy is not there yet; please try again later"};
  }
  const auto asked = look_ahead(facts);
  const auto admission = engine::admit(
      book_, asked.bringer, facts, asked.now,
      [&](const model::InboundDemand& demand) { return is_known(demand, asked.bringer); });
  if (admission.kind == engine::Admission::Kind::NoRule) return {};
  const bool asks_nothing = admission.demand->require == model::InboundRequire::None &&
                            admission.kind == engine::Admission::Kind::Passed;
  if (asks_nothing) return {};
  // Postfix asks for each recipient, and once more at the end; what is told and written of a
  // message is told and written once.
  const bool is_first = facts.instance.empty() || messages_.add(asked.message);
  if (is_first) {
    note(admission, asked);
    learn(admission, facts, asked.bringer);
  }
  if (mode_ == model::RowMode::Observe) return {};
  auto ruling = engine::ruling_of(admission, facts);
  // A header each would be added for each recipient, and none can be at the end of the message.
  if (ruling.action == model::Action::Prepend && (!is_first || facts.is_end_of_message)) return {};
  return ruling;
}

std::vector<model::InboundDecision> InboundDesk::take_decisions() {
  return std::exchange(decisions_, {});
}

std::vector<model::InboundCount> InboundDesk::take_counts() {
  return tallies_.take();
}

std::vector<model::InboundKnown> InboundDesk::take_learnt() {
  std::vector<model::InboundKnown> learnt;
  learnt.reserve(learnt_.size());
  for (const auto& [key, messages] : std::exchange(learnt_, {})) {
    const auto end = key.find('\n');
    learnt.push_back({key.substr(0, end), key.substr(end + 1), messages});
  }
  return learnt;
}

}  // namespace jobs
