#include "src/engine/assurance.h"

#include "src/engine/judge.h"
#include "tests/unit/catch.h"

using engine::Assurance;
using model::Fallback;
using model::Level;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr model::Moment kMoment{kNow, kNow};

// The only row is that of example.org.
class OneRow final : public model::PolicyRows {
 public:
  explicit OneRow(const model::Profile& profile) {
    row_.destination = "example.org";
    row_.profile = &profile;
  }
  std::optional<model::PolicyRow> find(std::string_view destination) const override {
    return destination == row_.destination ? std::optional(row_) : std::nullopt;
  }
  model::PolicyRow& row() { return row_; }

 private:
  model::PolicyRow row_;
};

model::Profile profile_of(Level level, Fallback fallback) {
  model::Profile profile;
  profile.name = "p";
  profile.level = level;
  profile.fallback = fallback;
  if (fallback == Fallback::Reroute) profile.reroute_to = "escrow:";
  return profile;
}

struct Known {
  const model::DestinationState* state = nullptr;
  engine::Memory memory = engine::Memory::Whole;
  model::RowMode mode = model::RowMode::Enforce;
};

// As the daemon does it: judge, then what is known.
Assurance assurance_of(const OneRow& rows, const Known& known = {},
                       std::string_view domain = "example.org") {
  const auto key = model::normalise_key(domain);
  const model::Question question{key, {}, model::Transport::Usual};
  auto verdict =
      engine::judge(rows, question, known.mode, base::sys_seconds(std::chrono::seconds(kNow)));
  if (verdict.kind == model::Verdict::Kind::Policy) {
    const auto rules = engine::rules_of(verdict.row, verdict.step, key.kind);
    if (engine::depends_on_state(rules)) {
      engine::hold_level(verdict, engine::level_for(rules, known.state, kMoment, known.memory),
                         question.transport);
    }
  }
  const auto found = engine::assure(verdict);
  REQUIRE_FALSE(found.why.empty());
  return found.assurance;
}

Assurance assurance_of(Level level, Fallback fallback, const Known& known = {}) {
  const auto profile = profile_of(level, fallback);
  return assurance_of(OneRow(profile), known);
}

}  // namespace

TEST_CASE("assurance: firm levels are as sure as they say, whatever is known of the peer") {
  const auto fallback = GENERATE(Fallback::Never, Fallback::Bounce);
  CHECK(assurance_of(Level::None, Fallback::Never) == Assurance::None);
  CHECK(assurance_of(Level::May, Fallback::Never) == Assurance::None);
  CHECK(assurance_of(Level::Encrypt, fallback) == Assurance::Encrypted);
  CHECK(assurance_of(Level::Verify, fallback) == Assurance::Verified);
  CHECK(assurance_of(Level::Secure, fallback) == Assurance::Verified);
  CHECK(assurance_of(Level::Fingerprint, fallback) == Assurance::Verified);
  CHECK(assurance_of(Level::DaneOnly, fallback) == Assurance::Verified);
}

TEST_CASE("assurance: dane is may where there is no TLSA record, so it promises nothing") {
  CHECK(assurance_of(Level::Dane, Fallback::Never) == Assurance::None);
  CHECK(assurance_of(Level::Dane, Fallback::Native) == Assurance::None);
}

TEST_CASE("assurance: what may fall back is never sure of TLS, however well it works now") {
  model::DestinationState offered;
  offered.offered_at = offered.offered_lived = offered.worked_at = kNow - 10;
  CHECK(assurance_of(Level::May, Fallback::AfterRetry, {&offered}) == Assurance::None);
  CHECK(assurance_of(Level::Encrypt, Fallback::AfterRetry, {&offered}) == Assurance::None);
  CHECK(assurance_of(Level::May, Fallback::Native, {&offered}) == Assurance::None);
}

TEST_CASE("assurance: unless-offered is sure while the offer is remembered") {
  model::DestinationState offered;
  offered.offered_at = offered.offered_lived = kNow - 10;
  CHECK(assurance_of(Level::May, Fallback::UnlessOffered) == Assurance::None);
  CHECK(assurance_of(Level::May, Fallback::UnlessOffered, {&offered}) == Assurance::Encrypted);
  auto profile = profile_of(Level::May, Fallback::UnlessOffered);
  profile.remember_for = 10;
  CHECK(assurance_of(OneRow(profile), {&offered}) == Assurance::None);
  model::DestinationState absent;
  absent.absent_at = kNow - 10;
  CHECK(assurance_of(Level::May, Fallback::UnlessOffered, {&absent}) == Assurance::None);
}

TEST_CASE("assurance: a reroute encrypts another way, which verifies nobody") {
  CHECK(assurance_of(Level::Encrypt, Fallback::Reroute) == Assurance::Encrypted);
  CHECK(assurance_of(Level::Verify, Fallback::Reroute) == Assurance::Encrypted);
}

TEST_CASE("assurance: without a row, or while the daemon observes, nothing is sure") {
  const auto profile = profile_of(Level::Verify, Fallback::Never);
  OneRow rows(profile);
  CHECK(assurance_of(rows, {}, "other.example") == Assurance::None);
  CHECK(assurance_of(rows, {.mode = model::RowMode::Observe}) == Assurance::None);
  rows.row().mode = model::RowMode::Observe;
  CHECK(assurance_of(rows) == Assurance::None);
  rows.row().mode = model::RowMode::Enforce;
  rows.row().expires_at = kNow;
  CHECK(assurance_of(rows) == Assurance::None);
}

TEST_CASE("assurance: what isn't known now is neither sure nor unsure") {
  const auto profile = profile_of(Level::Encrypt, Fallback::Never);
  OneRow rows(profile);
  rows.row().fault = "match is missing";
  CHECK(assurance_of(rows) == Assurance::Unknown);
  CHECK(assurance_of(Level::May, Fallback::UnlessOffered, {.memory = engine::Memory::Missing}) ==
        Assurance::Unknown);
  CHECK(assurance_of(Level::May, Fallback::UnlessOffered, {.memory = engine::Memory::Full}) ==
        Assurance::None);
  CHECK(engine::assure(engine::judge_without_policy(model::RowMode::Enforce)).assurance ==
        Assurance::Unknown);
}

TEST_CASE("assurance: its words are those of the columns") {
  CHECK(engine::to_word(Assurance::Unknown) == "unknown");
  CHECK(engine::to_word(Assurance::None) == "none");
  CHECK(engine::to_word(Assurance::Encrypted) == "encrypt");
  CHECK(engine::to_word(Assurance::Verified) == "verify");
}
