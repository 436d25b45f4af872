#include "src/jobs/decider.h"

#include <chrono>
#include <memory>

#include "src/model/next_hop.h"
#include "tests/unit/built_image.h"

namespace {

using model::Level;
using Kind = model::Verdict::Kind;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kEnd = kNow + 3'600;

class SetClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(at));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
  std::int64_t at = kNow;
};

class NoOutlet final : public jobs::Feedback::Outlet {
 public:
  bool propose(const wire::Proposal& /*proposal*/) override { return true; }
  void alarm(std::string_view /*what*/, std::string_view /*destination*/, std::string_view /*text*/,
             bool /*is_over*/) override {}
};

// `lab.example` is excepted until kEnd from what holds for everything.
std::unique_ptr<image::Image> make_image() {
  image::Writer writer;
  auto required = tests::profile_named("required");
  required.level = Level::Encrypt;
  required.fallback = model::Fallback::Never;
  auto off = tests::profile_named("off");
  off.level = Level::None;
  off.fallback = model::Fallback::Never;
  const auto required_id = *writer.add_profile(required);
  const auto off_id = *writer.add_profile(off);
  tests::add(writer, {"*", required_id, {}, model::RowMode::Enforce, 0, {}});
  tests::add(writer, {"lab.example", off_id, {}, model::RowMode::Enforce, kEnd, {}});
  tests::add(writer, {"old.example", off_id, {}, model::RowMode::Enforce, 0, {}});
  return tests::mapped(tests::finish(writer));
}

struct Desk {
  Desk() {
    decider.install(make_image());
    decider.attach(feedback);
  }
  void load_base(std::int64_t wall) {
    feedback.begin_base(jobs::Feedback::Base::Committed, {wall, 1});
    feedback.end_base();
  }
  Level level_of(std::string_view name) {
    const auto verdict = decider.verdict_for({model::normalise_key(name), {}});
    REQUIRE(verdict.kind == Kind::Policy);
    return verdict.level;
  }

  SetClock clock;
  NoOutlet outlet;
  jobs::Decider decider{clock};
  jobs::Feedback feedback{clock, decider, outlet};
};

}  // namespace

TEST_CASE("decider: an exception ends by the clock") {
  Desk desk;
  desk.load_base(0);
  CHECK(desk.level_of("lab.example") == Level::None);
  desk.clock.at = kEnd - 1;
  CHECK(desk.level_of("lab.example") == Level::None);
  desk.clock.at = kEnd;
  CHECK(desk.level_of("lab.example") == Level::Encrypt);
}

TEST_CASE("decider: an exception that has expired stays so when the clock is set back") {
  const auto back = GENERATE(std::int64_t{1}, std::int64_t{86'400}, std::int64_t{10 * 31'536'000},
                             std::int64_t{kNow});
  Desk desk;
  desk.load_base(0);
  desk.clock.at = kEnd + 1;
  CHECK(desk.level_of("lab.example") == Level::Encrypt);
  desk.clock.at = kEnd - back;
  CHECK(desk.level_of("lab.example") == Level::Encrypt);
  CHECK(desk.level_of("old.example") == Level::None);
}

TEST_CASE("decider: also over a restart, by the highest time that was saved") {
  Desk desk;
  desk.load_base(kEnd);
  CHECK(desk.clock.at < kEnd);
  CHECK(desk.level_of("lab.example") == Level::Encrypt);
}

TEST_CASE("decider: until that time is known, a row with an end gives nothing away") {
  Desk desk;
  CHECK(desk.level_of("lab.example") == Level::Encrypt);
  CHECK(desk.level_of("old.example") == Level::None);
  desk.load_base(kNow);
  CHECK(desk.level_of("lab.example") == Level::None);
}
