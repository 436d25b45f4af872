#include <string>

#include "policyd/session.h"
#include "tests/unit/catch.h"

namespace {

const std::string kRequest =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@a.test\nencryption_keysize=256\n\n";
const std::string kReply = "action=DUNNO\n\n";

class PassesAll final : public model::MailOracle {
 public:
  model::Ruling ruling_for(const model::MailFacts& /*facts*/) override { return {}; }
};

class Says final : public model::MailOracle {
 public:
  explicit Says(model::Ruling ruling) : ruling_(std::move(ruling)) {}
  model::Ruling ruling_for(const model::MailFacts& facts) override {
    asked += facts.has_sender ? "after MAIL" : "before MAIL";
    sender = facts.sender;
    return ruling_;
  }
  std::string asked;
  std::string sender;

 private:
  model::Ruling ruling_;
};

}  // namespace

TEST_CASE("every well-formed request gets DUNNO and one empty line") {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  std::string out;
  const auto step = session.receive(kRequest + kRequest + kRequest, out);
  CHECK(step.consumed == 3 * kRequest.size());
  CHECK_FALSE(step.hang_up);
  CHECK(out == kReply + kReply + kReply);
  CHECK(counters.answers == 3);
}

TEST_CASE("policy requests split at every byte get the same replies") {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  std::string out;
  std::string waiting;
  for (const char byte : kRequest + kRequest) {
    waiting += byte;
    const auto step = session.receive(waiting, out);
    REQUIRE_FALSE(step.hang_up);
    waiting.erase(0, step.consumed);
  }
  CHECK(waiting.empty());
  CHECK(out == kReply + kReply);
}

TEST_CASE("a malformed request is hung up on without an answer; earlier ones keep theirs") {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  std::string out;
  const auto step = session.receive(kRequest + "hello\n" + kRequest, out);
  CHECK(step.hang_up);
  CHECK(out == kReply);
  CHECK(counters.answers == 1);
  CHECK(counters.malformed == 1);
}

TEST_CASE("while the peer doesn't read, no more policy requests are taken") {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  std::string out(net::kMostUnreadReplies - 1, ' ');
  const auto step = session.receive(kRequest + kRequest, out);
  CHECK(step.consumed == kRequest.size());
  CHECK_FALSE(step.hang_up);
}

TEST_CASE("each ruling is one action in access(5)'s words, and never OK") {
  struct Case {
    model::Action action;
    std::string reply;
  };
  const auto [action, reply] = GENERATE(values<Case>({
      {model::Action::Pass, "action=DUNNO\n\n"},
      {model::Action::Reject, "action=550 5.7.10 why\n\n"},
      {model::Action::Defer, "action=450 4.7.10 why\n\n"},
      {model::Action::DeferIfPermit, "action=DEFER_IF_PERMIT 4.7.0 why\n\n"},
      {model::Action::Prepend, "action=PREPEND why\n\n"},
      {model::Action::Hold, "action=HOLD why\n\n"},
      {model::Action::Warn, "action=WARN why\n\n"},
  }));
  policyd::Counters counters;
  Says oracle({action, "why"});
  policyd::Session session(oracle, counters);
  std::string out;
  CHECK(session.receive(kRequest, out).consumed == kRequest.size());
  CHECK(out == reply);
  CHECK(oracle.asked == "after MAIL");
  CHECK(oracle.sender == "a@a.test");
}

TEST_CASE("a text can't end the reply early, nor outgrow it") {
  policyd::Counters counters;
  Says oracle({model::Action::Reject, "a\n\naction=OK\n\n" + std::string(1000, 'x')});
  policyd::Session session(oracle, counters);
  std::string out;
  session.receive(kRequest, out);
  CHECK(out.find('\n') == out.size() - 2);
  CHECK(out.size() < 512);
}

TEST_CASE("a malformed request is named for the log") {
  policyd::Counters counters;
  PassesAll oracle;
  policyd::Session session(oracle, counters);
  std::string out;
  CHECK(session.receive("hello\n", out).hang_up);
  CHECK(counters.last_fault == "a line without '='");
}
