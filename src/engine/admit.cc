#include "src/engine/admit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "src/base/text.h"
#include "src/engine/protocol.h"

namespace engine {
namespace {

// What a peer's own certificate says is shown up to here.
constexpr std::size_t kLongestShown = 80;

std::string normalise_fingerprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits += base::to_lower(c);
  }
  return digits;
}

bool is_pinned(const model::InboundRule& rule, const model::MailFacts& facts) {
  const auto certificate = normalise_fingerprint(facts.ccert_fingerprint);
  const auto key = normalise_fingerprint(facts.ccert_pubkey_fingerprint);
  for (const auto pin : base::split(rule.ccert_fingerprint, " ,|")) {
    const auto wanted = normalise_fingerprint(pin);
    if (wanted == certificate || wanted == key) return true;
  }
  return false;
}

std::string name_of(std::string_view text) {
  return text.empty() ? "none" : fmt::format("\"{}\"", base::printable(text, kLongestShown));
}

std::optional<Shortfall> find_tls_shortfall(const model::InboundDemand& demand,
                                            const model::MailFacts& facts) {
  if (demand.require == model::InboundRequire::None) return std::nullopt;
  if (facts.protocol.empty()) return Shortfall{"TLS", "plaintext"};
  if (demand.min_protocol && !is_protocol_enough(facts.protocol, *demand.min_protocol)) {
    return Shortfall{fmt::format("{} or newer", model::to_word(*demand.min_protocol)),
                     base::printable(facts.protocol, kLongestShown)};
  }
  if (facts.bits < demand.min_bits) {
    return Shortfall{fmt::format("a cipher of {} bits", demand.min_bits),
                     fmt::format("{} bits", facts.bits)};
  }
  return std::nullopt;
}

std::optional<Shortfall> find_certificate_shortfall(const model::InboundRule& rule,
                                                    const model::MailFacts& facts) {
  if (rule.require == model::InboundRequire::None) return std::nullopt;
  const bool is_shown = !facts.ccert_fingerprint.empty() || !facts.ccert_pubkey_fingerprint.empty();
  const bool is_trusted = !facts.ccert_subject.empty() || !facts.ccert_issuer.empty();
  if (rule.require == model::InboundRequire::Certificate && !is_trusted) {
    return Shortfall{
        "a trusted client certificate",
        is_shown ? "a client certificate that is not trusted" : "no client certificate"};
  }
  if (!rule.ccert_name.empty() && !matches_pattern(rule.ccert_name, facts.ccert_subject)) {
    return Shortfall{fmt::format("a client certificate for {}", name_of(rule.ccert_name)),
                     fmt::format("common name {}", name_of(facts.ccert_subject))};
  }
  if (!rule.ccert_issuer.empty() && !matches_pattern(rule.ccert_issuer, facts.ccert_issuer)) {
    return Shortfall{fmt::format("a client certificate issued by {}", name_of(rule.ccert_issuer)),
                     fmt::format("issuer {}", name_of(facts.ccert_issuer))};
  }
  if (!rule.ccert_fingerprint.empty() && !is_pinned(rule, facts)) {
    return Shortfall{"a client certificate that is pinned here",
                     is_shown ? "another client certificate" : "no client certificate"};
  }
  return std::nullopt;
}

// How hard it hits, for the harshest of several.
int severity_of(const Admission& admission) {
  switch (admission.kind) {
    case Admission::Kind::NoRule:
      return 0;
    case Admission::Kind::Passed:
    case Admission::Kind::Learning:
      return 1;
    case Admission::Kind::Faulty:
      return admission.rule->on_violation == model::OnViolation::Observe ? 2 : 4;
    case Admission::Kind::Violated:
      break;
  }
  switch (admission.rule->on_violation) {
    case model::OnViolation::Observe:
      return 2;
    case model::OnViolation::Tag:
      return 3;
    case model::OnViolation::Defer:
      return 5;
    case model::OnViolation::Reject:
      return 6;
  }
  return 6;
}

Admission judge_one(const InboundMatch& match, const model::MailFacts& facts,
                    const IsKnown& is_known) {
  const auto& [rule, demand, is_all] = *match.terms;
  Admission admission{Admission::Kind::Passed, rule, &demand, match.step, {}};
  if (!is_all && !rule->fault.empty()) {
    admission.kind = Admission::Kind::Faulty;
    return admission;
  }
  auto shortfall = is_all ? find_tls_shortfall(demand, facts) : find_shortfall(*rule, facts);
  if (!shortfall) return admission;
  const bool holds = demand.learn_count == 0 || is_known(demand);
  admission.kind = holds ? Admission::Kind::Violated : Admission::Kind::Learning;
  admission.shortfall = std::move(*shortfall);
  return admission;
}

std::string_view domain_of(const model::MailFacts& facts) {
  if (facts.sender.empty()) return "<>";
  const auto at = facts.sender.rfind('@');
  return at == facts.sender.npos ? facts.sender : facts.sender.substr(at + 1);
}

std::string client_of(const model::MailFacts& facts) {
  if (facts.client_name.empty() || facts.client_name == "unknown") {
    return std::string(facts.client_address);
  }
  return fmt::format("{}[{}]", facts.client_name, facts.client_address);
}

constexpr std::string_view kDefaultText =
    "Mail from $sender_domain must come with $required; $client came with $got. Please set up TLS "
    "on the sending server";
constexpr std::string_view kDefaultTag =
    "violated; required=$required; got=$got; client=$client; sender=$sender_domain";

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && base::to_lower(pattern[p]) == base::to_lower(text[t])) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

std::optional<Shortfall> find_shortfall(const model::InboundRule& rule,
                                        const model::MailFacts& facts) {
  auto shortfall = find_tls_shortfall(rule, facts);
  return shortfall ? std::move(shortfall) : find_certificate_shortfall(rule, facts);
}

Admission admit(const InboundBook& book, const Bringer& bringer, const model::MailFacts& facts,
                base::sys_seconds now, const IsKnown& is_known) {
  const auto found = book.find(bringer, now);
  if (found.by_client) return judge_one(*found.by_client, facts, is_known);
  Admission harshest;
  for (const auto& match : found.others) {
    auto admission = judge_one(match, facts, is_known);
    if (severity_of(admission) > severity_of(harshest)) harshest = std::move(admission);
  }
  return harshest;
}

std::string expand_text(std::string_view text, const Shortfall& shortfall,
                        const model::MailFacts& facts) {
  const std::array<std::pair<std::string_view, std::string>, 4> values{
      {{"$sender_domain", base::printable(domain_of(facts), kLongestShown)},
       {"$client", base::printable(client_of(facts), kLongestShown)},
       {"$required", shortfall.required},
       {"$got", shortfall.got}}};
  std::string expanded;
  while (!text.empty()) {
    const auto* const found = std::find_if(values.begin(), values.end(), [text](const auto& value) {
      return text.starts_with(value.first);
    });
    if (found != values.end()) {
      expanded += found->second;
      text.remove_prefix(found->first.size());
    } else {
      expanded += text.front();
      text.remove_prefix(1);
    }
  }
  return expanded;
}

model::Ruling ruling_of(const Admission& admission, const model::MailFacts& facts) {
  if (admission.kind == Admission::Kind::Faulty) {
    if (admission.rule->on_violation == model::OnViolation::Observe) return {};
    return {model::Action::DeferIfPermit,
            "This server's rule for TLS of your mail is at fault; please try again later"};
  }
  if (admission.kind != Admission::Kind::Violated) return {};
  const auto& rule = *admission.rule;
  const bool is_tag = rule.on_violation == model::OnViolation::Tag;
  const std::string_view text = !rule.text.empty() ? std::string_view(rule.text)
                                : is_tag           ? kDefaultTag
                                                   : kDefaultText;
  auto expanded = expand_text(text, admission.shortfall, facts);
  switch (rule.on_violation) {
    case model::OnViolation::Reject:
      return {model::Action::Reject, std::move(expanded)};
    case model::OnViolation::Defer:
      return {model::Action::Defer, std::move(expanded)};
    case model::OnViolation::Tag:
      return {model::Action::Prepend, fmt::format("{}: {}", kTagHeader, expanded)};
    case model::OnViolation::Observe:
      return {};
  }
  return {};
}

}  // namespace engine
