// What the desk for incoming mail says and writes down, without a socket.
#include "src/jobs/inbound_desk.h"

#include "tests/unit/catch.h"

namespace {

class FixedClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(1'800'000'123));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

struct Desk {
  FixedClock clock;
  std::vector<model::InboundRule> rules;
  jobs::InboundDesk desk{clock};

  Desk() {
    model::InboundRule rule;
    rule.id = 7;
    rule.sender = "a.example";
    rules.push_back(rule);
  }
  void install() { desk.install(rules); }
  model::Action ask(std::string_view instance, std::string_view protocol = "",
                    std::string_view sender = "u@a.example",
                    std::string_view address = "192.0.2.1") {
    model::MailFacts facts;
    facts.has_sender = true;
    facts.client_address = address;
    facts.client_name = "unknown";
    facts.sender = sender;
    facts.instance = instance;
    facts.protocol = protocol;
    return desk.ruling_for(facts).action;
  }
};

}  // namespace

TEST_CASE("without any policy mail is deferred, but never by a daemon that observes") {
  Desk test;
  CHECK(test.ask("1") == model::Action::DeferIfPermit);
  test.desk.set_mode(model::RowMode::Observe);
  CHECK(test.ask("1") == model::Action::Pass);
  CHECK(test.desk.take_decisions().empty());
}

TEST_CASE("a message is written down once, however many recipients it has") {
  Desk test;
  test.install();
  for (int i = 0; i < 3; ++i) CHECK(test.ask("1.1") == model::Action::Reject);
  CHECK(test.ask("1.2") == model::Action::Reject);
  CHECK(test.ask("1.3", "TLSv1.3") == model::Action::Pass);
  const auto decisions = test.desk.take_decisions();
  REQUIRE(decisions.size() == 2);
  CHECK(decisions[0].rule == 7);
  CHECK(decisions[0].action == "reject");
  CHECK(decisions[0].step == "sender");
  CHECK(decisions[0].at == 1'800'000'123);
  const auto counts = test.desk.take_counts();
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].tally.action == "reject");
  CHECK(counts[0].tally.network == "192.0.2.0/24");
  CHECK(counts[0].count == 2);
  CHECK(counts[1].tally.action.empty());
  CHECK(counts[1].count == 1);
  CHECK(test.desk.take_decisions().empty());
  CHECK(test.desk.take_counts().empty());
}

TEST_CASE("what nobody takes is bounded, and the rest is counted") {
  Desk test;
  test.install();
  const auto most = jobs::InboundDesk::kMostWaiting;
  for (std::size_t i = 0; i < most + 10; ++i) test.ask(std::to_string(i));
  CHECK(test.desk.take_decisions().size() == most);
  CHECK(test.desk.dropped() == 10);
}

TEST_CASE("a mail that no rule asks anything of leaves no trace") {
  Desk test;
  test.rules[0].require = model::InboundRequire::None;
  test.rules[0].sender.clear();
  test.rules[0].client = "192.0.2.0/24";
  test.install();
  CHECK(test.ask("1") == model::Action::Pass);
  CHECK(test.ask("2", "", "u@a.example", "198.51.100.1") == model::Action::Pass);
  CHECK(test.desk.take_counts().empty());
}

TEST_CASE("a sender is held to TLS once it was seen often enough, from the same network") {
  Desk test;
  test.rules[0].learn_count = 2;
  test.install();
  CHECK(test.ask("1") == model::Action::Pass);
  CHECK(test.ask("2", "TLSv1.3") == model::Action::Pass);
  CHECK(test.ask("2", "TLSv1.3") == model::Action::Pass);
  CHECK(test.ask("3") == model::Action::Pass);
  CHECK(test.ask("4", "TLSv1.2") == model::Action::Pass);
  CHECK(test.ask("5") == model::Action::Reject);
  CHECK(test.ask("6", "", "v@a.example", "192.0.2.200") == model::Action::Reject);
  CHECK(test.ask("7", "", "u@a.example", "192.0.3.1") == model::Action::Pass);
  const auto learnt = test.desk.take_learnt();
  REQUIRE(learnt.size() == 1);
  CHECK(learnt[0] == model::InboundKnown{"a.example", "192.0.2.0/24", 2});

  Desk restarted;
  restarted.rules[0].learn_count = 2;
  restarted.install();
  restarted.desk.remember(learnt[0]);
  CHECK(restarted.ask("1") == model::Action::Reject);
}

TEST_CASE("while the daemon observes, a message in clear still teaches nothing") {
  Desk test;
  test.desk.set_mode(model::RowMode::Observe);
  test.install();
  CHECK(test.ask("1") == model::Action::Pass);
  const auto decisions = test.desk.take_decisions();
  REQUIRE(decisions.size() == 1);
  CHECK(decisions[0].action == "observe");
  CHECK(test.desk.take_learnt().empty());
}
