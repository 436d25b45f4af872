#include <string>

#include "policyd/session.h"
#include "tests/unit/catch.h"

namespace {

const std::string kRequest =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@a.test\nencryption_keysize=256\n\n";
const std::string kReply = "action=DUNNO\n\n";

}  // namespace

TEST_CASE("every well-formed request gets DUNNO and one empty line") {
  policyd::Counters counters;
  policyd::Session session(counters);
  std::string out;
  const auto step = session.receive(kRequest + kRequest + kRequest, out);
  CHECK(step.consumed == 3 * kRequest.size());
  CHECK_FALSE(step.hang_up);
  CHECK(out == kReply + kReply + kReply);
  CHECK(counters.answers == 3);
}

TEST_CASE("policy requests split at every byte get the same replies") {
  policyd::Counters counters;
  policyd::Session session(counters);
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
  policyd::Session session(counters);
  std::string out;
  const auto step = session.receive(kRequest + "hello\n" + kRequest, out);
  CHECK(step.hang_up);
  CHECK(out == kReply);
  CHECK(counters.answers == 1);
  CHECK(counters.malformed == 1);
}

TEST_CASE("while the peer doesn't read, no more policy requests are taken") {
  policyd::Counters counters;
  policyd::Session session(counters);
  std::string out(net::kMostUnreadReplies - 1, ' ');
  const auto step = session.receive(kRequest + kRequest, out);
  CHECK(step.consumed == kRequest.size());
  CHECK_FALSE(step.hang_up);
}
