#include "src/engine/rules.h"

#include "tests/unit/catch.h"

using engine::Rules;
using model::Fallback;
using model::Level;
using model::Step;

namespace {

Rules rules_of(const model::Profile& profile, std::string_view match = {}, Step step = Step::Parent,
               model::KeyKind kind = model::KeyKind::Domain) {
  model::PolicyRow row;
  row.destination = "partner.example";
  row.profile = &profile;
  row.match = match;
  return engine::rules_of(row, step, kind);
}

}  // namespace

TEST_CASE("rules: what a profile leaves open has the documented default") {
  model::Profile profile;
  profile.level = Level::Encrypt;
  profile.fallback = Fallback::AfterRetry;
  const auto rules = rules_of(profile);
  CHECK(rules.level == Level::Encrypt);
  CHECK(rules.fallback == Fallback::AfterRetry);
  CHECK(rules.first_contact == Level::May);
  CHECK(rules.downgrade_to == Level::May);
  CHECK(rules.attempts == 2);
  CHECK(rules.retry_after == 300);
  CHECK(rules.failure_memory == 86'400);
  CHECK(rules.downgrade_for == 3'600);
  CHECK(rules.downgrade_max == 86'400);
  CHECK(rules.rule == "partner.example");
  profile.fallback = Fallback::UnlessOffered;
  CHECK(rules_of(profile).first_contact == Level::Encrypt);
  profile.fallback = Fallback::Bounce;
  CHECK(rules_of(profile).attempts == 1);
}

TEST_CASE("rules: a downgrade_max below the default downgrade_for shortens it") {
  model::Profile profile;
  profile.downgrade_max = 600;
  CHECK(rules_of(profile).downgrade_for == 600);
  CHECK(rules_of(profile).downgrade_max == 600);
  profile.downgrade_max = 7'200;
  CHECK(rules_of(profile).downgrade_for == 3'600);
  profile.downgrade_for = 100;
  CHECK(rules_of(profile).downgrade_for == 100);
}

TEST_CASE("rules: what asks for more than a level is seen") {
  model::Profile plain;
  CHECK_FALSE(rules_of(plain).has_own_demands);
  CHECK(rules_of(plain, "mx.partner.example").has_own_demands);
  for (const auto field :
       {&model::Profile::tafile, &model::Profile::protocols, &model::Profile::ciphers,
        &model::Profile::exclude, &model::Profile::servername}) {
    model::Profile profile;
    profile.*field = "something";
    CHECK(rules_of(profile).has_own_demands);
  }
  plain.min_protocol = model::TlsVersion::Tls12;
  CHECK(rules_of(plain).has_own_demands);
}

TEST_CASE("rules: only mail for a domain, or for the row's very name, may be lowered") {
  const model::Profile profile;
  CHECK(rules_of(profile, {}, Step::Any).may_downgrade);
  CHECK(rules_of(profile, {}, Step::AsWritten, model::KeyKind::Host).may_downgrade);
  CHECK_FALSE(rules_of(profile, {}, Step::WithoutPort, model::KeyKind::Host).may_downgrade);
}

TEST_CASE("rules: after-retry and unless-offered depend on what is known") {
  for (const auto fallback : model::kFallbacks) {
    INFO(to_word(fallback));
    Rules rules;
    rules.fallback = fallback;
    CHECK(engine::depends_on_state(rules) ==
          (fallback == Fallback::AfterRetry || fallback == Fallback::UnlessOffered));
  }
}
