// Of several rules that match by sender the one that hits hardest holds, and what each of them asks
// is judged to the letter.
#include <algorithm>
#include <string>
#include <vector>

#include "src/engine/admit.h"
#include "tests/unit/catch.h"

namespace {

using model::InboundRequire;
using model::InboundRule;
using model::OnViolation;

constexpr base::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

model::MailFacts clear_mail(std::string_view sender) {
  model::MailFacts facts;
  facts.has_sender = true;
  facts.client_address = "192.0.2.1";
  facts.client_name = "unknown";
  facts.sender = sender;
  return facts;
}

InboundRule rule(std::int64_t id, std::string client, std::string sender) {
  InboundRule made;
  made.id = id;
  made.client = std::move(client);
  made.sender = std::move(sender);
  return made;
}

std::int64_t id_of_holder(const std::vector<InboundRule>& rules, const model::MailFacts& facts) {
  const engine::InboundBook book(rules);
  const auto admission =
      engine::admit(book, engine::make_bringer(facts), facts, kNow,
                    [](const model::InboundDemand& /*demand*/) { return false; });
  return admission.rule == nullptr ? 0 : admission.rule->id;
}

// From the one that hits least to the hardest.
std::vector<InboundRule> by_severity() {
  auto passes = rule(1, "", "");
  passes.require = InboundRequire::None;
  auto observes = rule(2, "", "");
  observes.on_violation = OnViolation::Observe;
  auto tags = rule(3, "", "");
  tags.on_violation = OnViolation::Tag;
  auto is_faulty = rule(4, "", "");
  is_faulty.fault = "ccert_name is empty";
  auto defers = rule(5, "", "");
  defers.on_violation = OnViolation::Defer;
  auto rejects = rule(6, "", "");
  return {passes, observes, tags, is_faulty, defers, rejects};
}

}  // namespace

TEST_CASE("of any two rules that match by sender the harsher one holds, whichever is the nearer") {
  const auto rules = by_severity();
  for (std::size_t mild = 0; mild < rules.size(); ++mild) {
    for (std::size_t harsh = mild + 1; harsh < rules.size(); ++harsh) {
      auto nearer = rules[mild];
      auto farther = rules[harsh];
      nearer.sender = "a.example";
      CHECK(id_of_holder({nearer, farther}, clear_mail("u@a.example")) == farther.id);
      std::swap(nearer.sender, farther.sender);
      CHECK(id_of_holder({nearer, farther}, clear_mail("u@a.example")) == farther.id);
    }
  }
}

TEST_CASE("of two rules that hit equally hard the nearer one holds") {
  auto nearer = rule(1, "", "a.example");
  auto farther = rule(2, "", ".example");
  CHECK(id_of_holder({farther, nearer}, clear_mail("u@a.example")) == 1);
}

TEST_CASE("a sender without a domain is of no rule by sender, and hides none by client") {
  const std::vector<InboundRule> rules{rule(1, "192.0.2.0/24", "a.example"),
                                       rule(2, "192.0.0.0/16", "")};
  CHECK(id_of_holder(rules, clear_mail("u@a.example")) == 1);
  CHECK(id_of_holder(rules, clear_mail("u")) == 2);
  CHECK(id_of_holder(rules, clear_mail("u@")) == 2);
}

TEST_CASE("a rule's sender is read in any case of its letters") {
  CHECK(id_of_holder({rule(1, "", "U@A.Example")}, clear_mail("u@a.example")) == 1);
}

TEST_CASE("as many bits as are asked for are enough") {
  auto strong = rule(1, "", "");
  strong.min_bits = 128;
  auto facts = clear_mail("u@a.example");
  facts.protocol = "TLSv1.3";
  facts.bits = 128;
  CHECK_FALSE(engine::find_shortfall(strong, facts).has_value());
  facts.bits = 127;
  CHECK(engine::find_shortfall(strong, facts).has_value());
}

TEST_CASE("a pattern's star stands for any characters, and for nothing else") {
  CHECK(engine::matches_pattern("*", ""));
  CHECK(engine::matches_pattern("a*c*e", "abcde"));
  CHECK(engine::matches_pattern("*.a.example", "x.y.A.example"));
  CHECK_FALSE(engine::matches_pattern("*.a.example", "a.example"));
  CHECK_FALSE(engine::matches_pattern("a", "ab"));
  CHECK_FALSE(engine::matches_pattern("a.b", "axb"));
  CHECK_FALSE(engine::matches_pattern("", "a"));
  // What stands behind the star is not looked for before it.
  CHECK_FALSE(engine::matches_pattern("aba*bax", "abax"));
  CHECK(engine::matches_pattern("*a", "a"));
  CHECK(engine::matches_pattern("*ab", "aab"));
  CHECK(engine::matches_pattern("*ab*cd", "aabccd"));
  CHECK_FALSE(engine::matches_pattern("*ab", "aba"));
  CHECK_FALSE(engine::matches_pattern("*ab", "cb"));
}
