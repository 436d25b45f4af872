#include "src/engine/submit.h"

#include <algorithm>

#include "tests/unit/catch.h"

using engine::Assurance;
using engine::Judgement;
using engine::SenderRoute;
using engine::SenderStep;
using model::Otherwise;
using model::SubmissionRequire;
using model::SubmissionRule;
using model::TlsVersion;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

std::vector<SubmissionRule> rules_for(const std::vector<std::string>& senders) {
  std::vector<SubmissionRule> rules;
  for (const auto& sender : senders) rules.emplace_back().sender = sender;
  return rules;
}

// The sender column of the rule that decides, "-" for none.
std::string decides(const std::vector<SubmissionRule>& rules, std::string_view sender,
                    std::string_view sasl_user = {}) {
  const engine::SubmissionBook book(rules);
  const auto found = book.find(engine::submitter_of(sender, sasl_user),
                               base::sys_seconds(std::chrono::seconds(kNow)));
  return found.rule == nullptr ? "-" : found.rule->sender;
}

Judgement judge(const SubmissionRule& rule, std::string_view protocol,
                std::optional<Assurance> recipient) {
  std::optional<engine::Assured> assured;
  if (recipient) assured = engine::Assured{*recipient, "because"};
  return engine::judge_submission(rule, protocol, assured);
}

}  // namespace

TEST_CASE("submit: the table of precedence, one rule taken away after the other") {
  std::vector<std::string> senders{
      "ann", "ann@mail.bank.example", "mail.bank.example", ".bank.example", ".example", "*"};
  while (!senders.empty()) {
    CHECK(decides(rules_for(senders), "Ann@Mail.Bank.Example", "Ann") == senders.front());
    senders.erase(senders.begin());
  }
  CHECK(decides({}, "ann@mail.bank.example", "ann") == "-");
}

TEST_CASE("submit: the order of the rows does not matter") {
  auto senders = std::vector<std::string>{"*", ".example", "a.example", "x@a.example"};
  std::sort(senders.begin(), senders.end());
  do {
    CHECK(decides(rules_for(senders), "x@a.example") == "x@a.example");
    CHECK(decides(rules_for(senders), "y@a.example") == "a.example");
    CHECK(decides(rules_for(senders), "y@b.example") == ".example");
    CHECK(decides(rules_for(senders), "y@b.test") == "*");
  } while (std::next_permutation(senders.begin(), senders.end()));
}

TEST_CASE("submit: a domain does not cover what is below it, nor a parent itself") {
  CHECK(decides(rules_for({"bank.example"}), "a@sub.bank.example") == "-");
  CHECK(decides(rules_for({".bank.example"}), "a@bank.example") == "-");
  CHECK(decides(rules_for({".bank.example"}), "a@deep.sub.bank.example") == ".bank.example");
}

TEST_CASE("submit: the null sender and a name without a domain have the SASL user and *") {
  const auto rules = rules_for({"ann", "example", "*"});
  for (const auto* sender : {"", "<>"}) {
    CHECK(decides(rules, sender, "ann") == "ann");
    CHECK(decides(rules, sender, "bob") == "*");
  }
  CHECK(decides(rules, "ann") == "*");
}

TEST_CASE("submit: a sender cannot escape by the name he gives himself") {
  CHECK(decides(rules_for({"ann"}), "somebody@else.test", "ann") == "ann");
  CHECK(decides(rules_for({"*", "*@x.example"}), "*", "*") == "*");
  CHECK(decides(rules_for({"a@b.example"}), "x@a@b.example") == "-");
  CHECK(decides(rules_for({"b.example"}), "x@a@b.example") == "b.example");
}

TEST_CASE("submit: an internationalised domain meets its A-label") {
  CHECK(decides(rules_for({"xn--bcher-kva.example"}),
                "a@b\xc3\xbc"
                "cher.example") == "xn--bcher-kva.example");
}

TEST_CASE("submit: a row that has expired is passed over for the next step") {
  auto rules = rules_for({"ann@a.example", "a.example"});
  rules[0].expires_at = kNow;
  CHECK(decides(rules, "ann@a.example") == "a.example");
  rules[0].expires_at = kNow + 1;
  CHECK(decides(rules, "ann@a.example") == "ann@a.example");
}

TEST_CASE("submit: what is sure must be what the rule demands") {
  SubmissionRule rule;
  CHECK(judge(rule, "", Assurance::None) == Judgement::NotSure);
  CHECK(judge(rule, "", Assurance::Encrypted) == Judgement::Met);
  CHECK(judge(rule, "", Assurance::Verified) == Judgement::Met);
  CHECK(judge(rule, "", Assurance::Unknown) == Judgement::Unknown);
  CHECK(judge(rule, "", std::nullopt) == Judgement::Met);
  rule.require = SubmissionRequire::Verify;
  CHECK(judge(rule, "", Assurance::None) == Judgement::NotSure);
  CHECK(judge(rule, "", Assurance::Encrypted) == Judgement::NotSure);
  CHECK(judge(rule, "", Assurance::Verified) == Judgement::Met);
}

TEST_CASE("submit: the client's own connection is judged first, and alone where asked") {
  SubmissionRule rule;
  rule.min_protocol = TlsVersion::Tls12;
  for (const auto* protocol : {"", "SSLv3", "TLSv1", "TLSv1.1", "nonsense"}) {
    CHECK(judge(rule, protocol, Assurance::Verified) == Judgement::WeakLink);
    CHECK(judge(rule, protocol, std::nullopt) == Judgement::WeakLink);
  }
  for (const auto* protocol : {"TLSv1.2", "TLSv1.3", "TLSv1.4"}) {
    CHECK(judge(rule, protocol, Assurance::Verified) == Judgement::Met);
    CHECK(judge(rule, protocol, std::nullopt) == Judgement::Met);
  }
}

TEST_CASE("submit: a rule at fault is neither met nor broken by the sender") {
  SubmissionRule rule;
  rule.fault = "require is \"perhaps\"";
  CHECK(judge(rule, "TLSv1.3", Assurance::Verified) == Judgement::BrokenRule);
  CHECK(engine::route_of({&rule, SenderStep::Any}) == SenderRoute::Unknown);
}

TEST_CASE("submit: whoever has a row that is more than observed sends by TLS alone") {
  SubmissionRule rule;
  for (const auto action :
       {Otherwise::Reject, Otherwise::Defer, Otherwise::Hold, Otherwise::Warn}) {
    rule.otherwise = action;
    CHECK(engine::route_of({&rule, SenderStep::Domain}) == SenderRoute::TlsOnly);
  }
  rule.otherwise = Otherwise::Observe;
  CHECK(engine::route_of({&rule, SenderStep::Domain}) == SenderRoute::Usual);
  CHECK(engine::route_of({}) == SenderRoute::Usual);
}

TEST_CASE("submit: the steps have the names that explain shows") {
  CHECK(engine::to_word(SenderStep::SaslUser) == "SASL user");
  CHECK(engine::to_word(SenderStep::Address) == "address");
  CHECK(engine::to_word(SenderStep::Domain) == "domain");
  CHECK(engine::to_word(SenderStep::Parent) == "parent domain");
  CHECK(engine::to_word(SenderStep::Any) == "any sender");
}

TEST_CASE("submit: a sender with an empty half has no step for it") {
  const auto rules = rules_for({"@a.example", "a.example", "*", ""});
  CHECK(decides(rules, "@a.example") == "a.example");
  CHECK(decides(rules, "ann@") == "*");
}
