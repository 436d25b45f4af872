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
    words.got = why;
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

}  // namespace

Ruling SubmissionDesk::ruling_for(const model::MailFacts& facts) {
  const bool is_observing = decider_.mode() == model::RowMode::Observe;
  if (decider_.image() == nullptr) {
    if (is_observing) return {};
    return {Action::DeferIfPermit, "The policy for submitted mail is not loaded yet; try again"};
  }
  const auto found =
      decider_.submission_rule_for(engine::submitter_of(facts.sender, facts.sasl_username));
  if (found.rule == nullptr) return {};
  std::optional<engine::Assured> recipient;
  if (!facts.recipient.empty() && facts.policy_context != kClientContext) {
    recipient = decider_.assured_for(model::normalise_key(domain_of(facts.recipient)));
  }
  const auto judgement = engine::judge_submission(*found.rule, facts.protocol, recipient);
  if (judgement == Judgement::Met) return {};
  const auto why = recipient ? recipient->why : std::string_view();
  const bool is_enforced = !is_observing && found.rule->otherwise != Otherwise::Observe;
  if (record_) {
    record_(facts, {found.rule->sender, found.rule->otherwise, judgement, why, is_enforced});
  }
  if (is_observing) return {};
  const auto words = words_of(*found.rule, facts, judgement, why);
  const bool has_text = !found.rule->text.empty() &&
                        (judgement == Judgement::NotSure || judgement == Judgement::WeakLink);
  const auto action = action_for(*found.rule, judgement);
  if (action == Action::Pass) return {};
  return {action, has_text ? fill_in(found.rule->text, words) : reason_for(judgement, words)};
}

}  // namespace jobs
