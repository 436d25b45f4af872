#include "src/engine/submit.h"

#include "src/base/text.h"
#include "src/engine/protocol.h"

namespace engine {

using model::Otherwise;
using model::SubmissionRequire;
using model::SubmissionRule;

std::string_view to_word(SenderStep step) {
  switch (step) {
    case SenderStep::SaslUser:
      return "SASL user";
    case SenderStep::Address:
      return "address";
    case SenderStep::Domain:
      return "domain";
    case SenderStep::Parent:
      return "parent domain";
    case SenderStep::Any:
      return "any sender";
  }
  return "";
}

Submitter submitter_of(std::string_view sender, std::string_view sasl_user) {
  Submitter submitter;
  if (sender != "<>") submitter.sender = model::normalise_sender(sender);
  submitter.sasl_user = base::to_lower(sasl_user);
  return submitter;
}

SubmissionBook::SubmissionBook(const std::vector<SubmissionRule>& rules) {
  for (const auto& rule : rules) rules_.emplace(rule.sender, &rule);
}

SubmissionBook::Found SubmissionBook::find(const Submitter& submitter,
                                           base::sys_seconds now) const {
  Found found;
  if (rules_.empty()) return found;
  walk_senders(submitter, [&](SenderStep step, std::string_view name) {
    const auto at = rules_.find(name);
    if (at == rules_.end()) return false;
    const auto ends = at->second->expires_at;
    if (ends != 0 && ends <= now.time_since_epoch().count()) return false;
    // A user called "*" is not everybody.
    if (name == "*" && step != SenderStep::Any) return false;
    found = {at->second, step};
    return true;
  });
  return found;
}

Judgement judge_submission(const SubmissionRule& rule, std::string_view protocol,
                           const std::optional<Assured>& recipient) {
  if (!rule.fault.empty()) return Judgement::BrokenRule;
  if (rule.min_protocol && !is_protocol_enough(protocol, *rule.min_protocol)) {
    return Judgement::WeakLink;
  }
  if (!recipient) return Judgement::Met;
  switch (recipient->assurance) {
    case Assurance::Unknown:
      return Judgement::Unknown;
    case Assurance::None:
      return Judgement::NotSure;
    case Assurance::Encrypted:
      return rule.require == SubmissionRequire::Encrypt ? Judgement::Met : Judgement::NotSure;
    case Assurance::Verified:
      return Judgement::Met;
  }
  return Judgement::Unknown;
}

SenderRoute route_of(const SubmissionBook::Found& found) {
  if (found.rule == nullptr) return SenderRoute::Usual;
  if (!found.rule->fault.empty()) return SenderRoute::Unknown;
  return found.rule->otherwise == Otherwise::Observe ? SenderRoute::Usual : SenderRoute::TlsOnly;
}

}  // namespace engine
