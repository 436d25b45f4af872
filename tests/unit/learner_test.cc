// What role `answer` does with the state base that it gets, and with what it has to tell `store`.
#include "src/app/learner.h"

#include <string>
#include <vector>

#include "src/image/sealed_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/offered_state.h"

namespace {

using jobs::Feedback;
using model::Level;
using test::kNow;
using test::offered;
using test::StillClock;

std::string base_of(const std::vector<wire::StateRecord>& records) {
  std::string bytes = app::state_base_head({kNow, 1});
  for (const auto& record : records) wire::append_state_record(bytes, record);
  return bytes;
}

struct Desk {
  void take(Feedback::Base kind, const std::string& bytes) {
    auto fd = image::seal("test-state", {bytes});
    REQUIRE(fd.ok());
    learner.take_base(kind, std::move(*fd));
    // Each slice is a turn of the loop.
    for (int turn = 0; turn < 20; ++turn) {
      net::Timer end(loop, [this] { loop.stop(); });
      end.start(std::chrono::microseconds{0});
      loop.run();
    }
  }
  Level level_of(std::string_view destination) {
    engine::Rules rules;
    rules.level = Level::May;
    rules.fallback = model::Fallback::AfterRetry;
    return learner.feedback().level_for(rules, {}, destination).level;
  }

  net::Loop loop;
  StillClock clock;
  jobs::Decider decider{clock};
  bool is_connected = true;
  std::vector<std::pair<wire::AnswerToStore, std::string>> told;
  app::Learner learner{loop, clock, decider,
                       [this](wire::AnswerToStore type, std::string_view payload) {
                         if (is_connected) told.emplace_back(type, std::string(payload));
                         return is_connected;
                       },
                       [](wire::ToParent, std::string_view) { return true; }};
};

}  // namespace

TEST_CASE("learner: a base is read in slices, to its end") {
  std::vector<wire::StateRecord> records;
  for (int i = 0; i < 10'000; ++i) records.push_back(offered("h" + std::to_string(i) + ".example"));
  Desk desk;
  desk.take(Feedback::Base::Committed, base_of(records));
  CHECK(desk.learner.feedback().known() == records.size());
  CHECK(desk.level_of("h9999.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::May);
}

TEST_CASE("learner: a damaged base is no base: what is not in it is not unknown") {
  Desk desk;
  const auto whole = base_of({offered("peer.example"), offered("other.example")});
  const auto cut = GENERATE(std::size_t{1}, std::size_t{20});
  desk.take(Feedback::Base::Committed, whole.substr(0, whole.size() - cut));
  CHECK_FALSE(desk.learner.feedback().has_base());
  CHECK(desk.level_of("other.example") == Level::Encrypt);
  CHECK(desk.level_of("new.example") == Level::Encrypt);
  desk.take(Feedback::Base::Committed, whole);
  CHECK(desk.learner.feedback().has_base());
  CHECK(desk.level_of("new.example") == Level::May);
}

TEST_CASE("learner: a damaged base leaves the kept one in force") {
  Desk desk;
  desk.take(Feedback::Base::Kept, base_of({offered("peer.example")}));
  desk.take(Feedback::Base::Committed, base_of({}) + "no record");
  CHECK(desk.learner.feedback().has_base());
  CHECK(desk.level_of("peer.example") == Level::Encrypt);
}

TEST_CASE("learner: what is counted waits while store is away") {
  Desk desk;
  const auto see = [&desk](std::string name) {
    desk.learner.saw({}, model::normalise_key(name), {});
  };
  const auto counted = [&desk] {
    std::vector<std::string> names;
    for (const auto& [type, payload] : desk.told) {
      std::string_view rest = payload;
      if (type != wire::AnswerToStore::Counts) continue;
      while (const auto record = wire::take_count_record(rest)) {
        names.push_back(record->destination);
      }
    }
    return names;
  };
  desk.is_connected = false;
  see("one.example");
  desk.learner.finish();
  see("two.example");
  desk.learner.finish();
  CHECK(counted().empty());
  desk.is_connected = true;
  desk.learner.finish();
  CHECK(counted() == std::vector<std::string>{"one.example", "two.example"});
  desk.learner.finish();
  CHECK(counted().size() == 2);
}

TEST_CASE("learner: a proposal that is too long for a message is sent in fewer words") {
  model::Evidence seen;
  seen.outcome.cause = model::Cause::HandshakeFailure;
  seen.mx = std::string(250, 'm');
  seen.text = std::string(1'000, 't');
  wire::Proposal proposal;
  proposal.id = 7;
  proposal.destination = "peer.example";
  proposal.state.emplace();
  proposal.decisions.emplace_back();
  for (std::int64_t i = 0; i < 101; ++i) {
    seen.at = i;
    proposal.state->failures.push_back({{i, i}, seen});
    proposal.decisions.front().evidence.push_back(seen);
  }
  Desk desk;
  CHECK(desk.learner.propose(proposal));
  REQUIRE(desk.told.size() == 1);
  const auto told = wire::parse_proposal(desk.told.front().second);
  REQUIRE(told);
  CHECK(told->id == 7);
  CHECK(told->state->failures.size() == 101);
  CHECK(told->state->failures.front().evidence.mx == seen.mx);
  CHECK(told->decisions.front().evidence.back().at == 100);

  // One that can't be sent at all is nothing to wait for.
  for (auto& failure : proposal.state->failures) failure.evidence.mx = std::string(1'000, 'm');
  CHECK(desk.learner.propose(proposal));
  CHECK(desk.told.size() == 1);
}
