#include "src/jobs/submission_desk.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "src/base/text.h"

namespace jobs {
namespace {

using engine::Judgement;
using model::Action;
using model::Otherwise;
using model::Ruling;
using model::SubmissionRule;

// Of a name that somebody else wrote, in a text that must keep its end.
constexpr std::size_t kLongestName = 100;
// And of one that is written down.
constexpr std::size_t kLongestRecorded = 320;

struct Words {
  std::string sender_domain;
  std::string recipient_domain;
  std::string client;
  std::string required;
  std::string got;
};

std::string_view domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == address.npos ? std::string_view() : address.substr(at + 1);
}

std::string shown(std::string_view name) {
  return base::printable(name, kLongestName);
}

Words words_of(const SubmissionRule& rule, const model::MailFacts& facts, Judgement judgement,
               std::string_view why) {
  Words words;
  words.sender_domain = shown(domain_of(facts.sender));
  words.recipient_domain = shown(domain_of(facts.recipient));
  words.client = shown(facts.client_address);
  if (judgement == Judgement::WeakLink) {
    words.required = fmt::format("{} or newer", model::to_word(*rule.min_protocol));
    words.got = facts.protocol.empty() ? "no TLS" : shown(facts.protocol);
  } else {
    words.required = rule.require == model::SubmissionRequire::Verify
                         ? "TLS with a verified certificate"
                         : "TLS";
    words.got = judgement == Judgement::BrokenRule ? "a rule that can't be used" : why;
  }
  return words;
}

std::string reason_for(Judgement judgement, const Words& words) {
  switch (judgement) {
    case Judgement::Met:
      return {};
    case Judgement::WeakLink:
      return fmt::format(
          "You must hand in mail over {}, and your connection has {}; update the TLS settings of "
          "your mail program",
          words.required, words.got);
    case Judgement::NotSure:
      return fmt::format(
          "Your mail must go by {}, and for {} that is not sure: {}; not accepted for this "
          "recipient. Ask your postmaster for a TLS rule for that domain, or reach the recipient "
          "another way",
          words.required, words.recipient_domain, words.got);
    case Judgement::Unknown:
      return fmt::format(
          "Your mail must go by {}, and whether {} can be reached that way is not known now: {}; "
          "try again later",
          words.required, words.recipient_domain, words.got);
    case Judgement::BrokenRule:
      return "The rule for your mail can't be used; your postmaster finds it in tlspolicyctl "
             "status";
  }
  return {};
}

// The admin's own text, its variables filled in.
std::string fill_in(std::string_view text, const Words& words) {
  const std::array<std::pair<std::string_view, std::string_view>, 5> known{
      {{"$sender_domain", words.sender_domain},
       {"$recipient_domain", words.recipient_domain},
       {"$client", words.client},
       {"$required", words.required},
       {"$got", words.got}}};
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t used = 0;
    for (const auto& [name, value] : known) {
      if (used == 0 && text.substr(at).starts_with(name)) {
        filled += value;
        used = name.size();
      }
    }
    if (used == 0) filled += text[at];
    at += used == 0 ? 1 : used;
  }
  return filled;
}

Action action_of(Otherwise otherwise) {
  switch (otherwise) {
    case Otherwise::Reject:
      return Action::Reject;
    case Otherwise::Defer:
      return Action::Defer;
    case Otherwise::Hold:
      return Action::Hold;
    case Otherwise::Warn:
      return Action::Warn;
    case Otherwise::Observe:
      return Action::Pass;
  }
  return Action::Pass;
}

// What we don't know is no reason to refuse mail for good.
Action action_for(const SubmissionRule& rule, Judgement judgement) {
  if (judgement == Judgement::BrokenRule) return Action::DeferIfPermit;
  const auto action = action_of(rule.otherwise);
  const bool is_refusal = action == Action::Reject || action == Action::Defer;
  return judgement == Judgement::Unknown && is_refusal ? Action::DeferIfPermit : action;
}

Ruling ruling_of(const SubmissionRule& rule, Judgement judgement, const Words& words) {
  const auto action = action_for(rule, judgement);
  if (action == Action::Pass) return {};
  const bool is_broken = judgement == Judgement::NotSure || judgement == Judgement::WeakLink;
  return {action, is_broken && !rule.text.empty() ? fill_in(rule.text, words)
                                                  : reason_for(judgement, words)};
}

// As it is written down: what was done.
std::string_view word_of(Action action, Judgement judgement) {
  switch (action) {
    case Action::Pass:
      return "observe";
    case Action::Reject:
      return "reject";
    case Action::Defer:
      return "defer";
    case Action::DeferIfPermit:
      return judgement == Judgement::BrokenRule ? "fault" : "defer";
    case Action::Hold:
      return "hold";
    case Action::Warn:
      return "warn";
    case Action::Prepend:
      return {};
  }
  return {};
}

}  // namespace

void SubmissionDesk::note(model::SubmissionDecision decision, const model::MailFacts& facts) {
  if (decisions_.size() >= kMostWaiting) {
    ++dropped_;
    return;
  }
  decision.at = decider_.now().time_since_epoch().count();
  decision.client = base::printable(facts.client_address, kLongestRecorded);
  decision.sasl_user = base::printable(facts.sasl_username, kLongestRecorded);
  decision.sender = base::printable(facts.sender, kLongestRecorded);
  decision.recipient = base::printable(facts.recipient, kLongestRecorded);
  decision.protocol = base::printable(facts.protocol, kLongestRecorded);
  decisions_.push_back(std::move(decision));
}

std::vector<model::SubmissionDecision> SubmissionDesk::take_decisions() {
  return std::exchange(decisions_, {});
}

Ruling SubmissionDesk::ruling_for(const model::MailFacts& facts) {
  const bool is_observing = decider_.mode() == model::RowMode::Observe;
  if (decider_.image() == nullptr) {
    if (is_observing) return {};
    return {Action::DeferIfPermit, "The policy for submitted mail is not loaded yet; try again"};
  }
  const auto found =
      decider_.submission_rule_for(engine::submitter_of(facts.sender, facts.sasl_username));
  if (found.rule == nullptr) return {};
  const auto& rule = *found.rule;
  // Without a domain it is one of this host's.
  const auto domain = domain_of(facts.recipient);
  std::optional<engine::Assured> recipient;
  if (!domain.empty() && facts.policy_context != kClientContext) {
    recipient = decider_.assured_for(model::normalise_key(domain));
  }
  const auto judgement = engine::judge_submission(rule, facts.protocol, recipient);
  if (judgement == Judgement::Met) return {};
  const auto words =
      words_of(rule, facts, judgement, recipient ? recipient->why : std::string_view());
  auto ruling = is_observing ? Ruling{} : ruling_of(rule, judgement, words);
  model::SubmissionDecision decision;
  decision.rule = rule.sender;
  decision.step = engine::to_word(found.step);
  decision.required = words.required;
  decision.got = words.got;
  decision.action = word_of(ruling.action, judgement);
  note(std::move(decision), facts);
  return ruling;
}

}  // namespace jobs
