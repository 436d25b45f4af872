#include "src/engine/judge.h"

#include <map>
#include <string>

#include "tests/unit/catch.h"

using namespace engine;
using model::Level;
using model::RowMode;
using model::Step;
using Fate = Considered::Fate;
using Kind = model::Verdict::Kind;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

// A policy in words: rows.add("example.com", Level::Encrypt); ask("example.com").
class Rows final : public model::PolicyRows {
 public:
  model::PolicyRow& add(const std::string& destination, Level level) {
    auto& profile = profiles_[level];
    profile.level = level;
    return put(destination, &profile);
  }
  model::PolicyRow& add_faulty(const std::string& destination, std::string_view fault) {
    auto& row = put(destination, nullptr);
    row.fault = fault;
    return row;
  }
  model::PolicyRow& add_without_profile(const std::string& destination) {
    return put(destination, nullptr);
  }
  std::optional<model::PolicyRow> find(std::string_view destination) const override {
    const auto found = rows_.find(destination);
    return found == rows_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  model::PolicyRow& put(const std::string& destination, const model::Profile* profile) {
    const auto [at, is_new] = rows_.emplace(destination, model::PolicyRow{});
    REQUIRE(is_new);
    at->second.destination = at->first;
    at->second.profile = profile;
    return at->second;
  }

  std::map<Level, model::Profile> profiles_;
  std::map<std::string, model::PolicyRow, std::less<>> rows_;
};

struct Asked {
  RowMode mode = RowMode::Enforce;
  model::Transport transport = model::Transport::Usual;
  std::vector<Considered>* considered = nullptr;
};

model::Verdict ask(const Rows& rows, std::string_view key, const Asked& asked = {}) {
  const auto normal = model::normalise_key(key);
  return judge(rows, {.key = normal, .view = {}, .transport = asked.transport}, asked.mode,
               base::sys_seconds(std::chrono::seconds(kNow)), asked.considered);
}

// "won example.com, expired .com": what explain would print.
std::string fates(const Rows& rows, std::string_view key, RowMode mode = RowMode::Enforce) {
  std::vector<Considered> considered;
  ask(rows, key, {.mode = mode, .considered = &considered});
  std::string text;
  for (const auto& each : considered) {
    if (!text.empty()) text += ", ";
    switch (each.fate) {
      case Fate::Won:
        text += "won ";
        break;
      case Fate::Outranked:
        text += "outranked ";
        break;
      case Fate::Expired:
        text += "expired ";
        break;
      case Fate::Observed:
        text += "observed ";
        break;
      case Fate::Faulty:
        text += "faulty ";
        break;
    }
    text += each.row.destination;
  }
  return text;
}

}  // namespace

TEST_CASE("judge: the strongest row wins and names its step") {
  Rows rows;
  rows.add("a.example", Level::Verify);
  rows.add(".b.example", Level::Encrypt);
  rows.add(".example", Level::May);
  rows.add("*", Level::None);
  rows.add("[*]", Level::Secure);
  rows.add("[relay.example]", Level::DaneOnly);

  const auto expect = [&rows](std::string_view key, Level level, Step step) {
    INFO(key);
    const auto verdict = ask(rows, key);
    CHECK(verdict.kind == Kind::Policy);
    CHECK(verdict.level == level);
    CHECK(verdict.step == step);
    CHECK_FALSE(verdict.reason.empty());
  };
  expect("A.example.", Level::Verify, Step::AsWritten);
  expect("x.y.b.example", Level::Encrypt, Step::Parent);
  expect("b.example", Level::May, Step::Parent);
  expect("other.test", Level::None, Step::Any);
  expect("a.example:587", Level::Verify, Step::WithoutPort);
  expect("[a.example]:587", Level::Verify, Step::WithoutBrackets);
  expect("[relay.example]:587", Level::DaneOnly, Step::WithoutPort);
  expect("[192.0.2.1]:25", Level::Secure, Step::AnyHost);
  expect("x.b.example:25", Level::Secure, Step::AnyHost);
  expect(".example", Level::May, Step::AsWritten);
}

TEST_CASE("judge: without a row that applies main.cf decides") {
  Rows rows;
  rows.add(".example", Level::Encrypt);
  rows.add("*", Level::Encrypt);
  for (const auto* key : {"[relay.example]", "relay.example:587", ".other", "a_b.example", "*",
                          "[192.0.2.1]", "192.0.2.1", ""}) {
    INFO(key);
    const auto verdict = ask(rows, key);
    CHECK(verdict.kind == Kind::NotFound);
    CHECK_FALSE(verdict.reason.empty());
  }
}

TEST_CASE("judge: an expired row doesn't exist, from the second it names") {
  Rows rows;
  auto& row = rows.add("a.example", Level::None);
  rows.add(".example", Level::Encrypt);
  for (const auto at : {kNow, kNow - 1, std::int64_t{1}, std::int64_t{-1}}) {
    row.expires_at = at;
    CHECK(ask(rows, "a.example").level == Level::Encrypt);
    CHECK(fates(rows, "a.example") == "expired a.example, won .example");
  }
  for (const auto at : {kNow + 1, std::int64_t{0}}) {
    row.expires_at = at;
    CHECK(ask(rows, "a.example").level == Level::None);
  }
}

TEST_CASE("judge: an observed row is passed over") {
  Rows rows;
  rows.add("a.example", Level::Secure).mode = RowMode::Observe;
  CHECK(ask(rows, "a.example").kind == Kind::NotFound);
  rows.add("*", Level::May);
  CHECK(ask(rows, "a.example").level == Level::May);
  CHECK(fates(rows, "a.example") == "observed a.example, won *");
}

TEST_CASE("judge: a faulty row that would have won makes the verdict unknown, never not found") {
  Rows rows;
  rows.add_faulty("a.example", "level is \"encrpyt\"");
  rows.add(".example", Level::None);
  for (const auto* key : {"a.example", "[a.example]:25", "a.example:25"}) {
    INFO(key);
    const auto verdict = ask(rows, key);
    CHECK(verdict.kind == Kind::Unknown);
    CHECK(verdict.reason == "level is \"encrpyt\"");
    CHECK(verdict.row.destination == "a.example");
  }
  CHECK(fates(rows, "a.example") == "faulty a.example, outranked .example");
  rows.add_without_profile("b.example");
  CHECK(ask(rows, "b.example").kind == Kind::Unknown);
  CHECK_FALSE(ask(rows, "b.example").reason.empty());
}

TEST_CASE("judge: the reason of an answer is the step that led to it, or that it was raised") {
  Rows rows;
  rows.add("example.com", Level::May);
  rows.add(".example.com", Level::Encrypt);
  CHECK(ask(rows, "example.com").reason == "a row of exactly this name");
  CHECK(ask(rows, "mx.example.com").reason == "the row of the nearest parent domain");
  const Asked tls_only{.transport = model::Transport::TlsOnly};
  CHECK(ask(rows, "example.com", tls_only).reason ==
        "raised to encrypt, because this transport is for TLS alone");
  CHECK(ask(rows, "mx.example.com", tls_only).reason == "the row of the nearest parent domain");
}

TEST_CASE("judge: that the daemon observes is the reason given") {
  Rows rows;
  rows.add("a.example", Level::Encrypt);
  const auto key = model::normalise_key("a.example");
  CHECK_FALSE(engine::judge(rows, {key, {}, model::Transport::Usual}, RowMode::Observe,
                            base::sys_seconds(std::chrono::seconds(kNow)))
                  .reason.empty());
  CHECK_FALSE(engine::judge_without_policy(RowMode::Observe).reason.empty());
}

TEST_CASE("judge: a faulty row that wouldn't have won harms nobody") {
  Rows rows;
  rows.add("a.example", Level::Encrypt);
  auto& faulty = rows.add_faulty(".example", "broken");
  CHECK(ask(rows, "a.example").level == Level::Encrypt);
  CHECK(fates(rows, "a.example") == "won a.example, outranked .example");
  faulty.expires_at = kNow;
  CHECK(ask(rows, "b.example").kind == Kind::NotFound);
  faulty.expires_at = 0;
  faulty.mode = RowMode::Observe;
  CHECK(ask(rows, "b.example").kind == Kind::NotFound);
}

TEST_CASE("judge: a transport for TLS alone never gets less than encrypt") {
  for (const auto level : model::kLevels) {
    INFO(to_word(level));
    Rows rows;
    rows.add("a.example", level);
    const auto verdict = ask(rows, "a.example", {.transport = model::Transport::TlsOnly});
    CHECK(verdict.kind == Kind::Policy);
    CHECK(verdict.level == (model::is_tls_required(level) ? level : Level::Encrypt));
    CHECK(verdict.row.profile->level == level);
    CHECK(ask(rows, "a.example").level == level);
  }
}

TEST_CASE("judge: in mode observe nothing answers, and what would have is on the list") {
  Rows rows;
  rows.add("a.example", Level::Encrypt);
  rows.add("*", Level::May);
  rows.add_faulty("b.example", "broken");
  for (const auto* key : {"a.example", "b.example", "c.example"}) {
    INFO(key);
    CHECK(ask(rows, key, {.mode = RowMode::Observe}).kind == Kind::NotFound);
  }
  CHECK(fates(rows, "a.example", RowMode::Observe) == "observed a.example, outranked *");
  CHECK(fates(rows, "b.example", RowMode::Observe) == "faulty b.example, outranked *");
  CHECK(fates(rows, "c.example", RowMode::Observe) == "observed *");
}

TEST_CASE("judge: every row of every step is considered, also behind the winner") {
  Rows rows;
  rows.add("a.b.example", Level::May).expires_at = 1;
  rows.add(".b.example", Level::Encrypt);
  rows.add(".example", Level::None).mode = RowMode::Observe;
  rows.add("*", Level::None);
  CHECK(fates(rows, "a.b.example") ==
        "expired a.b.example, won .b.example, observed .example, outranked *");
}

TEST_CASE("judge: while there is no policy the answer is unknown, but in mode observe") {
  CHECK(judge_without_policy(RowMode::Enforce).kind == Kind::Unknown);
  CHECK_FALSE(judge_without_policy(RowMode::Enforce).reason.empty());
  CHECK(judge_without_policy(RowMode::Observe).kind == Kind::NotFound);
}

TEST_CASE("judge: what a row that is only observed would answer") {
  const auto observe = [](const Rows& rows, std::string_view key, RowMode mode) {
    const auto normal = model::normalise_key(key);
    return judge_observed(rows, {.key = normal, .view = {}}, mode,
                          base::sys_seconds(std::chrono::seconds(kNow)));
  };
  Rows rows;
  rows.add("*", Level::Encrypt);
  rows.add("observed.example", Level::Verify).mode = RowMode::Observe;
  rows.add("enforced.example", Level::Secure);
  rows.add("expired.example", Level::None).expires_at = kNow;
  rows.add_faulty("faulty.example", "it is broken").mode = RowMode::Observe;
  const auto level_of = [](const std::optional<model::Verdict>& verdict) {
    REQUIRE(verdict);
    REQUIRE(verdict->kind == Kind::Policy);
    return verdict->level;
  };
  CHECK(level_of(observe(rows, "observed.example", RowMode::Enforce)) == Level::Verify);
  CHECK_FALSE(observe(rows, "enforced.example", RowMode::Enforce));
  CHECK_FALSE(observe(rows, "other.example", RowMode::Enforce));
  CHECK(observe(rows, "faulty.example", RowMode::Enforce)->kind == Kind::Unknown);
  CHECK(level_of(observe(rows, "observed.example", RowMode::Observe)) == Level::Verify);
  CHECK(level_of(observe(rows, "enforced.example", RowMode::Observe)) == Level::Secure);
  CHECK(level_of(observe(rows, "expired.example", RowMode::Observe)) == Level::Encrypt);
  CHECK_FALSE(observe(rows, "[relay.example]", RowMode::Observe));
}
