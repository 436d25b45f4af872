#include "src/jobs/submission_desk.h"

#include <chrono>

#include "tests/unit/built_image.h"

namespace {

using engine::Judgement;
using model::Action;
using model::Otherwise;
using model::SubmissionRequire;
using model::SubmissionRule;

class StoppedClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(1'800'000'000));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

class SilentOutlet final : public jobs::Feedback::Outlet {
 public:
  bool propose(const wire::Proposal& /*proposal*/) override { return true; }
  void alarm(std::string_view /*what*/, std::string_view /*destination*/, std::string_view /*text*/,
             bool /*is_over*/) override {}
};

SubmissionRule rule_for(const std::string& sender, Otherwise otherwise) {
  SubmissionRule rule;
  rule.sender = sender;
  rule.otherwise = otherwise;
  return rule;
}

// bank.test is required, partner.test verified, asked.test preferred; the rules are the test's.
class Desk {
 public:
  explicit Desk(const std::vector<SubmissionRule>& rules, bool has_state = true) {
    image::Writer writer;
    add(writer, "asked.test", model::Level::May, model::Fallback::UnlessOffered);
    add(writer, "bank.test", model::Level::Encrypt, model::Fallback::Never);
    add(writer, "partner.test", model::Level::Verify, model::Fallback::Never);
    for (const auto& rule : rules) REQUIRE(writer.add_rule(rule).ok());
    decider.install(tests::mapped(tests::finish(writer)));
    decider.attach(feedback);
    if (!has_state) return;
    feedback.begin_base(jobs::Feedback::Base::Committed, {1'800'000'000, 1});
    feedback.end_base();
  }

  model::Ruling ask(std::string_view recipient, std::string_view sender = "ann@here.test") {
    facts.has_sender = true;
    facts.policy_context = context;
    facts.client_address = "192.0.2.7";
    facts.sender = sender;
    facts.recipient = recipient;
    facts.protocol = protocol;
    facts.sasl_username = sasl_user;
    return desk.ruling_for(facts);
  }

  // "RULE ACTION" of what was written down since the last call.
  std::vector<std::string> records() {
    std::vector<std::string> list;
    for (const auto& each : desk.take_decisions()) list.push_back(each.rule + " " + each.action);
    return list;
  }

  std::string_view context = "submission";
  std::string_view protocol = "TLSv1.3";
  std::string_view sasl_user;
  model::MailFacts facts;
  StoppedClock clock;
  jobs::Decider decider{clock};
  SilentOutlet outlet;
  jobs::Feedback feedback{clock, decider, outlet};
  jobs::SubmissionDesk desk{decider};

 private:
  static void add(image::Writer& writer, const std::string& name, model::Level level,
                  model::Fallback fallback) {
    auto profile = tests::profile_named(name);
    profile.level = level;
    profile.fallback = fallback;
    tests::add(writer, {name, *writer.add_profile(profile), {}, model::RowMode::Enforce, 0, {}});
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("submission desk: whoever has no rule sends as he likes") {
  Desk desk({rule_for("bob@here.test", Otherwise::Reject)});
  CHECK(desk.ask("x@clear.test").action == Action::Pass);
  CHECK(desk.records().empty());
}

TEST_CASE("submission desk: a recipient without a domain is one of this host's") {
  Desk desk({rule_for("here.test", Otherwise::Reject)});
  CHECK(desk.ask("postmaster").action == Action::Pass);
  CHECK(desk.ask("x@[192.0.2.1]").action == Action::Reject);
}

TEST_CASE("submission desk: each action is the rule's own word, and each is recorded") {
  const auto [otherwise, action] =
      GENERATE(table<Otherwise, Action>({{Otherwise::Reject, Action::Reject},
                                         {Otherwise::Defer, Action::Defer},
                                         {Otherwise::Hold, Action::Hold},
                                         {Otherwise::Warn, Action::Warn},
                                         {Otherwise::Observe, Action::Pass}}));
  Desk desk({rule_for("here.test", otherwise)});
  CHECK(desk.ask("x@bank.test").action == Action::Pass);
  CHECK(desk.records().empty());
  const auto ruling = desk.ask("x@clear.test");
  CHECK(ruling.action == action);
  CHECK(ruling.text.empty() == (action == Action::Pass));
  CHECK(desk.records() ==
        std::vector<std::string>{"here.test " + std::string(model::to_word(otherwise))});
}

TEST_CASE("submission desk: the sender is told which domain, why, and what to do") {
  Desk desk({rule_for("here.test", Otherwise::Reject)});
  const auto text = desk.ask("x@Clear.test").text;
  CHECK(has(text, "Clear.test"));
  CHECK(has(text, "no rule in force demands TLS for it"));
  CHECK(has(text, "Ask your postmaster for a TLS rule"));
  CHECK(text.size() <= 400);
  const std::string longest(253, 'a');
  CHECK(desk.ask("x@" + longest).text.size() <= 400);
}

TEST_CASE("submission desk: verify is more than encrypt") {
  auto rule = rule_for("here.test", Otherwise::Reject);
  rule.require = SubmissionRequire::Verify;
  Desk desk({rule});
  CHECK(desk.ask("x@partner.test").action == Action::Pass);
  const auto ruling = desk.ask("x@bank.test");
  CHECK(ruling.action == Action::Reject);
  CHECK(has(ruling.text, "verified certificate"));
}

TEST_CASE("submission desk: the client's own connection must be new enough") {
  auto rule = rule_for("ann", Otherwise::Reject);
  rule.min_protocol = model::TlsVersion::Tls13;
  Desk desk({rule});
  desk.sasl_user = "ann";
  CHECK(desk.ask("x@bank.test").action == Action::Pass);
  desk.protocol = "TLSv1.2";
  const auto ruling = desk.ask("x@bank.test");
  CHECK(ruling.action == Action::Reject);
  CHECK(has(ruling.text, "TLSv1.3 or newer"));
  CHECK(has(ruling.text, "has TLSv1.2"));
  desk.protocol = {};
  CHECK(has(desk.ask("x@bank.test").text, "no TLS"));
  desk.context = jobs::kClientContext;
  CHECK(desk.ask("x@clear.test").action == Action::Reject);
  desk.protocol = "TLSv1.3";
  CHECK(desk.ask("x@clear.test").action == Action::Pass);
}

TEST_CASE("submission desk: the admin's own text may carry what was asked and what there was") {
  auto rule = rule_for("here.test", Otherwise::Reject);
  rule.text = "$recipient_domain for $sender_domain from $client: $required wanted, $got, $5";
  Desk desk({rule});
  CHECK(desk.ask("x@clear.test").text ==
        "clear.test for here.test from 192.0.2.7: TLS wanted, no rule in force demands TLS for it, "
        "$5");
}

TEST_CASE("submission desk: what isn't known now refuses nothing for good") {
  Desk desk({rule_for("here.test", Otherwise::Reject)}, /*has_state=*/false);
  const auto ruling = desk.ask("x@asked.test");
  CHECK(ruling.action == Action::DeferIfPermit);
  CHECK(has(ruling.text, "try again later"));
  auto broken = rule_for("here.test", Otherwise::Observe);
  broken.fault = "require is wrong";
  CHECK(Desk({broken}).ask("x@bank.test").action == Action::DeferIfPermit);
  StoppedClock clock;
  jobs::Decider empty(clock);
  CHECK(jobs::SubmissionDesk(empty).ruling_for({}).action == Action::DeferIfPermit);
  empty.set_mode(model::RowMode::Observe);
  CHECK(jobs::SubmissionDesk(empty).ruling_for({}).action == Action::Pass);
}

TEST_CASE("submission desk: what is written down says who, to whom, by which rule and why") {
  auto rule = rule_for("ann", Otherwise::Defer);
  rule.require = SubmissionRequire::Verify;
  rule.min_protocol = model::TlsVersion::Tls12;
  Desk desk({rule});
  desk.sasl_user = "ann";
  desk.ask("x@bank.test");
  desk.protocol = "TLSv1.1";
  desk.ask("x@partner.test");
  const auto found = desk.desk.take_decisions();
  REQUIRE(found.size() == 2);
  CHECK(found[0] == model::SubmissionDecision{
                        1'800'000'000, "ann", "SASL user", "192.0.2.7", "ann", "ann@here.test",
                        "x@bank.test", "TLSv1.3", "TLS with a verified certificate",
                        "its rule demands TLS, but no certificate that fits", "defer"});
  CHECK(found[1].required == "TLSv1.2 or newer");
  CHECK(found[1].got == "TLSv1.1");
  CHECK(desk.desk.take_decisions().empty());
  for (std::size_t i = 0; i <= jobs::SubmissionDesk::kMostWaiting; ++i) desk.ask("x@bank.test");
  CHECK(desk.desk.take_decisions().size() == jobs::SubmissionDesk::kMostWaiting);
  CHECK(desk.desk.dropped() == 1);
}

TEST_CASE("submission desk: while the daemon observes, all pass and what would fail is recorded") {
  Desk desk({rule_for("here.test", Otherwise::Reject)});
  desk.decider.set_mode(model::RowMode::Observe);
  CHECK(desk.ask("x@bank.test").action == Action::Pass);
  CHECK(desk.records().empty());
  CHECK(desk.ask("x@clear.test").action == Action::Pass);
  CHECK(desk.records() == std::vector<std::string>{"here.test observe"});
}

TEST_CASE("submission desk: map sender-transport follows the rules, and the mode") {
  auto broken = rule_for("broken.test", Otherwise::Reject);
  broken.fault = "require is wrong";
  Desk desk({rule_for("here.test", Otherwise::Reject), rule_for("soft.test", Otherwise::Observe),
             broken});
  using Kind = model::SenderAnswer::Kind;
  const auto kind = [&](std::string_view sender) {
    return desk.decider.route_for_sender(sender).kind;
  };
  CHECK(kind("ann@here.test") == Kind::TlsOnly);
  CHECK(kind("@Here.test") == Kind::TlsOnly);
  CHECK(kind("ann@soft.test") == Kind::Usual);
  CHECK(kind("ann@else.test") == Kind::Usual);
  CHECK(kind("<>") == Kind::Usual);
  CHECK(kind("ann@broken.test") == Kind::Unknown);
  desk.decider.set_mode(model::RowMode::Observe);
  CHECK(kind("ann@here.test") == Kind::Usual);
  StoppedClock clock;
  jobs::Decider empty(clock);
  CHECK(empty.route_for_sender("ann@here.test").kind == Kind::Unknown);
}
