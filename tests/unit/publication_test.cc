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
