#include "src/jobs/publisher.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "src/image/writer.h"
#include "src/jobs/compare_images.h"
#include "tests/unit/catch.h"

namespace {

using jobs::Publisher;
using model::Level;
constexpr base::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};

// An image of `count` rows d00000.example, d00001.example ... at one level.
store::Compiled make_policy(Level level, int count, std::vector<store::RowFault> faults = {}) {
  image::Writer writer;
  model::Profile profile;
  profile.name = "p";
  profile.level = level;
  const auto index = writer.add_profile(profile);
  REQUIRE(index.ok());
  for (int i = 0; i < count; ++i) {
    image::Writer::Row row;
    const std::string name = fmt::format("d{:05}.example", i);
    row.destination = name;
    row.profile = *index;
    REQUIRE(writer.add_row(row).ok());
  }
  auto image = writer.finish(kNow);
  REQUIRE(image.ok());
  store::Compiled compiled;
  compiled.image = std::move(*image);
  compiled.fault_count = faults.size();
  compiled.faults = std::move(faults);
  return compiled;
}

// One row of outbound, and rules that the test makes from a number each.
template <class MakeRule>
store::Compiled make_rules(int count, MakeRule make_rule) {
  image::Writer writer;
  const auto index = writer.add_profile({});
  REQUIRE(index.ok());
  image::Writer::Row row;
  row.destination = "a.example";
  row.profile = *index;
  REQUIRE(writer.add_row(row).ok());
  for (int i = 0; i < count; ++i) REQUIRE(writer.add_rule(make_rule(i)).ok());
  auto image = writer.finish(kNow);
  REQUIRE(image.ok());
  store::Compiled compiled;
  compiled.image = std::move(*image);
  return compiled;
}

model::InboundRule inbound_rule(int number) {
  model::InboundRule rule;
  rule.id = number + 1;
  rule.client = fmt::format("10.0.{}.{}", number / 256, number % 256);
  rule.require = model::InboundRequire::Certificate;
  return rule;
}

model::SubmissionRule submission_rule(int number) {
  model::SubmissionRule rule;
  rule.sender = fmt::format("u{:04}@a.example", number);
  rule.require = model::SubmissionRequire::Verify;
  return rule;
}

// A publisher whose database is a value and whose world is a list of what it was told.
struct Rig final : Publisher::Outlet {
  void publish(int image_fd) override {
    auto image = image::Image::map(image_fd, image::Image::Checksum::Now);
    REQUIRE(image.ok());
    told.push_back(fmt::format("{} rows", (*image)->stamp().rows));
  }
  void announce_no_policy() override { told.emplace_back("no policy"); }

  void says(store::Compiled compiled) { next = std::move(compiled); }
  void says(const char* code) { next = store::Trouble{code, "something is wrong"}; }
  void poll() { publisher.poll(kNow); }
  std::vector<std::string> take_told() { return std::exchange(told, {}); }
  [[nodiscard]] const Publisher::Status& status() const { return publisher.status(); }

  std::variant<store::Unchanged, store::Compiled, store::Trouble> next;
  std::vector<std::string> told;
  Publisher publisher{[this](base::sys_seconds) { return std::exchange(next, store::Unchanged{}); },
                      *this};
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("the first policy is published, and what does not change is not published again") {
  Rig rig;
  rig.says(make_policy(Level::Encrypt, 3));
  rig.poll();
  rig.poll();
  CHECK(rig.take_told() == Told{"3 rows"});
  CHECK(rig.status().state == Publisher::State::Live);
}

TEST_CASE("trouble without any policy is announced, trouble with one leaves it in force") {
  Rig rig;
  rig.says("missing");
  rig.poll();
  CHECK(rig.take_told() == Told{"no policy"});
  rig.says(make_policy(Level::Encrypt, 3));
  rig.poll();
  rig.says("corrupt");
  rig.poll();
  CHECK(rig.take_told() == Told{"3 rows"});
  CHECK(rig.status().state == Publisher::State::Trouble);
  CHECK(rig.status().code == "corrupt");
  REQUIRE(rig.status().in_force.has_value());
  CHECK(rig.status().in_force->rows == 3);
}

TEST_CASE("an answering role with the policy of an earlier run hears soon that it may use it") {
  Rig rig;
  rig.publisher.adopt(make_policy(Level::Encrypt, 1000).image);
  rig.publisher.publish_again();
  CHECK(rig.take_told().empty());
  SECTION("because nothing else is to be had") {
    rig.says("missing");
    rig.poll();
    CHECK(rig.take_told() == Told{"no policy"});
    rig.publisher.publish_again();
    CHECK(rig.take_told() == Told{"1000 rows"});
  }
  SECTION("unless there is a newer one") {
    rig.says(make_policy(Level::Encrypt, 1001));
    rig.poll();
    rig.says("corrupt");
    rig.poll();
    CHECK(rig.take_told() == Told{"1001 rows"});
  }
}

TEST_CASE(
    "dropping more than a fifth and more than a hundred rows waits, and accepting publishes") {
  Rig rig;
  rig.says(make_policy(Level::Encrypt, 1000));
  rig.poll();
  static_cast<void>(rig.take_told());
  rig.says(make_policy(Level::Encrypt, 799));
  rig.poll();
  CHECK(rig.take_told().empty());
  CHECK(rig.status().state == Publisher::State::Waiting);
  REQUIRE(rig.status().pending.size() == 1);
  CHECK(rig.status().pending.front().dropped == 201);

  const auto accepted = rig.publisher.accept(kNow);
  CHECK(accepted.published);
  REQUIRE(accepted.differences.size() == 1);
  CHECK(accepted.differences.front().dropped == 201);
  CHECK(rig.take_told() == Told{"799 rows"});
  CHECK(rig.status().state == Publisher::State::Live);
  CHECK_FALSE(rig.publisher.accept(kNow).published);
}

TEST_CASE("weakening waits as dropping does, strengthening never") {
  Rig rig;
  rig.says(make_policy(Level::Encrypt, 1000));
  rig.poll();
  rig.says(make_policy(Level::May, 1000));
  rig.poll();
  CHECK(rig.status().state == Publisher::State::Waiting);
  REQUIRE(rig.status().pending.size() == 1);
  CHECK(rig.status().pending.front().weakened == 1000);
  rig.says(make_policy(Level::Secure, 1000));
  rig.poll();
  CHECK(rig.status().state == Publisher::State::Live);
  CHECK(rig.take_told() == Told{"1000 rows", "1000 rows"});
}

TEST_CASE("rules for incoming mail that are dropped or softened by the hundred wait") {
  const std::vector<std::function<void(model::InboundRule&)>> softenings{
      [](auto& rule) { rule.require = model::InboundRequire::None; },
      [](auto& rule) { rule.require = model::InboundRequire::Encrypt; },
      [](auto& rule) { rule.on_violation = model::OnViolation::Observe; },
      [](auto& rule) { rule.on_violation = model::OnViolation::Tag; },
      [](auto& rule) { rule.learn_count = 1000; },
      [](auto& rule) { rule.expires_at = 1; }};
  for (const auto& soften : softenings) {
    const auto soften_first = [&soften](int first) {
      return [&soften, first](int number) {
        auto rule = inbound_rule(number);
        if (number < first) soften(rule);
        return rule;
      };
    };
    Rig rig;
    rig.says(make_rules(400, inbound_rule));
    rig.poll();
    rig.says(make_rules(400, soften_first(100)));
    rig.poll();
    CHECK(rig.status().state == Publisher::State::Live);
    rig.says(make_rules(400, inbound_rule));
    rig.poll();
    static_cast<void>(rig.take_told());
    rig.says(make_rules(400, soften_first(101)));
    rig.poll();
    CHECK(rig.status().state == Publisher::State::Waiting);
    CHECK(rig.take_told().empty());
    REQUIRE(rig.status().pending.size() == 1);
    const auto& difference = rig.status().pending.front();
    CHECK(difference.table == "inbound");
    CHECK(difference.dropped + difference.weakened == 101);
    CHECK(rig.status().text.find("of 400 rows of table inbound") != std::string::npos);
    CHECK(rig.publisher.accept(kNow).published);
  }
}

TEST_CASE(
    "an emptied table of rules waits where it was long, and is published where it was short") {
  for (const int count : {101, 100}) {
    Rig rig;
    rig.says(make_rules(count, inbound_rule));
    rig.poll();
    rig.says(make_rules(0, inbound_rule));
    rig.poll();
    CHECK((rig.status().state == Publisher::State::Waiting) == (count == 101));
  }
}

TEST_CASE("rules for submitted mail that are dropped or softened by the hundred wait") {
  const std::vector<std::function<void(model::SubmissionRule&)>> softenings{
      [](auto& rule) { rule.require = model::SubmissionRequire::Encrypt; },
      [](auto& rule) { rule.otherwise = model::Otherwise::Observe; },
      [](auto& rule) { rule.otherwise = model::Otherwise::Warn; },
      [](auto& rule) { rule.expires_at = 1; }, [](auto& rule) { rule.sender += ".test"; }};
  for (const auto& soften : softenings) {
    Rig rig;
    rig.says(make_rules(200, submission_rule));
    rig.poll();
    static_cast<void>(rig.take_told());
    rig.says(make_rules(200, [&soften](int number) {
      auto rule = submission_rule(number);
      if (number < 101) soften(rule);
      return rule;
    }));
    rig.poll();
    CHECK(rig.status().state == Publisher::State::Waiting);
    CHECK(rig.take_told().empty());
    REQUIRE(rig.status().pending.size() == 1);
    CHECK(rig.status().pending.front().table == "submission");
  }
}

TEST_CASE("each table that something is taken from is named, also one that alone need not wait") {
  const auto make_both = [](int inbound, int submission) {
    image::Writer writer;
    for (int i = 0; i < inbound; ++i) REQUIRE(writer.add_rule(inbound_rule(i)).ok());
    for (int i = 0; i < submission; ++i) REQUIRE(writer.add_rule(submission_rule(i)).ok());
    auto image = writer.finish(kNow);
    REQUIRE(image.ok());
    store::Compiled compiled;
    compiled.image = std::move(*image);
    return compiled;
  };
  Rig rig;
  rig.says(make_both(400, 300));
  rig.poll();
  rig.says(make_both(398, 1));
  rig.poll();
  CHECK(
      rig.status().text.find("would drop 2 and weaken 0 of 400 rows of table inbound, and drop 299 "
                             "and weaken 0 of 300 rows of table submission;") != std::string::npos);
  const auto accepted = rig.publisher.accept(kNow);
  CHECK(jobs::describe_taken(accepted.differences) ==
        "2 of 400 rows of table inbound dropped, 0 weakened; 299 of 300 rows of table submission "
        "dropped, 0 weakened");
  rig.says(make_both(397, 1));
  rig.poll();
  CHECK(rig.status().state == Publisher::State::Live);
}

TEST_CASE("what waits is forgotten when the database can no longer be read") {
  Rig rig;
  rig.says(make_policy(Level::Encrypt, 1000));
  rig.poll();
  rig.says(make_policy(Level::Encrypt, 1));
  rig.poll();
  rig.says("locked");
  rig.poll();
  CHECK(rig.status().pending.empty());
  const auto accepted = rig.publisher.accept(kNow);
  CHECK_FALSE(accepted.published);
  CHECK_FALSE(accepted.trouble.empty());
  CHECK(rig.take_told() == Told{"1000 rows"});
}

TEST_CASE("a policy kept from before is what the first new one is compared with") {
  Rig rig;
  rig.publisher.adopt(std::move(make_policy(Level::Encrypt, 1000).image));
  rig.says(make_policy(Level::Encrypt, 10));
  rig.poll();
  CHECK(rig.take_told() == Told{"no policy"});  // that is newer
  CHECK(rig.status().state == Publisher::State::Waiting);
  rig.publisher.publish_again();
  CHECK(rig.take_told() == Told{"1000 rows"});
}

TEST_CASE("a new answering role is told again what is in force, or that there is nothing") {
  Rig rig;
  rig.publisher.publish_again();
  CHECK(rig.take_told().empty());
  rig.says("missing");
  rig.poll();
  rig.publisher.publish_again();
  CHECK(rig.take_told() == Told{"no policy", "no policy"});
}

TEST_CASE("faulty rows of the policy in force are kept for status") {
  Rig rig;
  rig.says(make_policy(Level::Encrypt, 3, {{"outbound", "x.example", "why"}}));
  rig.poll();
  REQUIRE(rig.status().faults.size() == 1);
  CHECK(rig.status().faults.front().key == "x.example");
  rig.says(make_policy(Level::Encrypt, 3));
  rig.poll();
  CHECK(rig.status().fault_count == 0);
}
