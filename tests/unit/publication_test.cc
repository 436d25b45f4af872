#include "src/engine/publication.h"

#include "tests/unit/catch.h"

using namespace engine;
using model::Fallback;
using model::Level;

namespace {

struct Policy {
  Level level;
  Fallback fallback = Fallback::Never;
};

bool is_weaker(Policy after, Policy before) {
  model::Profile after_profile;
  after_profile.level = after.level;
  after_profile.fallback = after.fallback;
  model::Profile before_profile;
  before_profile.level = before.level;
  before_profile.fallback = before.fallback;
  model::PolicyRow after_row;
  after_row.profile = &after_profile;
  model::PolicyRow before_row;
  before_row.profile = &before_profile;
  return engine::is_weaker(after_row, before_row);
}

}  // namespace

TEST_CASE("publication: a row is weaker where its level asks less") {
  CHECK(is_weaker({Level::May}, {Level::Encrypt}));
  CHECK(is_weaker({Level::None}, {Level::May}));
  CHECK(is_weaker({Level::Dane}, {Level::Encrypt}));
  CHECK(is_weaker({Level::Verify}, {Level::Secure}));
  CHECK_FALSE(is_weaker({Level::Secure}, {Level::Encrypt}));
  for (const auto level : model::kLevels) CHECK_FALSE(is_weaker({level}, {level}));
}

TEST_CASE("publication: at the same level the fallback decides") {
  CHECK(is_weaker({Level::Encrypt, Fallback::AfterRetry}, {Level::Encrypt, Fallback::Never}));
  CHECK(is_weaker({Level::May, Fallback::Native}, {Level::May, Fallback::UnlessOffered}));
  CHECK_FALSE(is_weaker({Level::Encrypt, Fallback::Bounce}, {Level::Encrypt, Fallback::Never}));
  CHECK_FALSE(is_weaker({Level::Encrypt, Fallback::AfterRetry}, {Level::May, Fallback::Never}));
}

TEST_CASE("publication: a faulty row asks for everything, and mending it weakens nothing") {
  model::Profile none;
  none.level = Level::None;
  model::Profile secure;
  secure.level = Level::Secure;
  model::PolicyRow faulty;
  faulty.fault = "broken";
  model::PolicyRow weak;
  weak.profile = &none;
  model::PolicyRow strict;
  strict.profile = &secure;
  CHECK_FALSE(engine::is_weaker(faulty, strict));
  CHECK_FALSE(engine::is_weaker(weak, faulty));
  CHECK_FALSE(engine::is_weaker(model::PolicyRow{}, strict));
  CHECK(engine::is_weaker(weak, strict));
}

TEST_CASE("publication: more than 100 rows and more than a fifth of them wait for an admin") {
  const auto waits = [](std::uint64_t rows, std::uint64_t dropped, std::uint64_t weakened) {
    return needs_acceptance(
        {.rows_before = rows, .rows_after = 0, .dropped = dropped, .weakened = weakened});
  };
  CHECK_FALSE(waits(0, 0, 0));
  CHECK_FALSE(waits(100, 100, 0));
  CHECK(waits(101, 101, 0));
  CHECK_FALSE(waits(1000, 200, 0));
  CHECK(waits(1000, 201, 0));
  CHECK(waits(1000, 0, 201));
  CHECK(waits(1000, 100, 101));
  CHECK_FALSE(waits(1'000'000, 200'000, 0));
  CHECK(waits(1'000'000, 100'000, 100'001));
}

TEST_CASE("publication: a rule for incoming mail is weaker by each thing that it no longer asks") {
  model::InboundRule strict;
  strict.require = model::InboundRequire::Certificate;
  strict.on_violation = model::OnViolation::Reject;
  strict.min_protocol = model::TlsVersion::Tls12;
  strict.min_bits = 128;
  strict.ccert_name = "mx.example";
  strict.ccert_issuer = "CA";
  strict.ccert_fingerprint = "aa";
  CHECK_FALSE(engine::is_weaker(strict, strict));
  const auto weakened = [&strict](auto change) {
    auto after = strict;
    change(after);
    return engine::is_weaker(after, strict) && !engine::is_weaker(strict, after);
  };
  using Rule = model::InboundRule;
  CHECK(weakened([](Rule& rule) { rule.require = model::InboundRequire::Encrypt; }));
  CHECK(weakened([](Rule& rule) { rule.on_violation = model::OnViolation::Defer; }));
  CHECK(weakened([](Rule& rule) { rule.min_protocol.reset(); }));
  CHECK(weakened([](Rule& rule) { rule.min_bits = 127; }));
  CHECK(weakened([](Rule& rule) { rule.learn_count = 1; }));
  CHECK(weakened([](Rule& rule) { rule.ccert_name.clear(); }));
  CHECK(weakened([](Rule& rule) { rule.ccert_issuer.clear(); }));
  CHECK(weakened([](Rule& rule) { rule.ccert_fingerprint.clear(); }));
  CHECK_FALSE(engine::is_weaker(Rule{}, Rule{}));
  Rule faulty;
  faulty.fault = "broken";
  CHECK_FALSE(engine::is_weaker(faulty, strict));
  CHECK_FALSE(engine::is_weaker(Rule{}, faulty));
}

TEST_CASE("publication: a rule for submitted mail is weaker by each thing that it no longer asks") {
  using Rule = model::SubmissionRule;
  Rule strict;
  strict.require = model::SubmissionRequire::Verify;
  strict.otherwise = model::Otherwise::Reject;
  strict.min_protocol = model::TlsVersion::Tls12;
  CHECK_FALSE(engine::is_weaker(strict, strict));
  const auto weakened = [&strict](auto change) {
    auto after = strict;
    change(after);
    return engine::is_weaker(after, strict) && !engine::is_weaker(strict, after);
  };
  CHECK(weakened([](Rule& rule) { rule.require = model::SubmissionRequire::Encrypt; }));
  CHECK(weakened([](Rule& rule) { rule.otherwise = model::Otherwise::Defer; }));
  CHECK(weakened([](Rule& rule) { rule.min_protocol = model::TlsVersion::Tls11; }));
  Rule faulty;
  faulty.fault = "broken";
  CHECK_FALSE(engine::is_weaker(faulty, strict));
  CHECK_FALSE(engine::is_weaker(Rule{}, faulty));
}

TEST_CASE("publication: a row without a profile asks for nothing that is known") {
  model::Profile none;
  none.level = Level::None;
  model::PolicyRow weak;
  weak.profile = &none;
  CHECK_FALSE(engine::is_weaker(weak, model::PolicyRow{}));
}
