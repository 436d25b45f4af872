#include "src/store/state_db.h"
#include "src/wire/inbound_record.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

model::SubmissionDecision decision_of(std::int64_t at) {
  return {at,          "rule",    "step", "client", "user",  "sender",
          "recipient", "TLSv1.3", "TLS",  "got",    "reject"};
}

}  // namespace

TEST_CASE("submission log: a decision comes over the channel as it was, and never in part") {
  const auto sent = decision_of(7);
  std::string bytes;
  wire::append_record(bytes, sent);
  wire::append_record(bytes, decision_of(8));
  std::string_view rest = bytes;
  CHECK(wire::take_submission_decision(rest) == sent);
  CHECK(wire::take_submission_decision(rest) == decision_of(8));
  CHECK(rest.empty());
  for (std::size_t size = 0; size < bytes.size() / 2; ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(wire::take_submission_decision(part).has_value());
  }
}

TEST_CASE("submission log: texts that are too long are cut on their way") {
  auto sent = decision_of(7);
  sent.sender = std::string(70'000, 'x');
  std::string bytes;
  wire::append_record(bytes, sent);
  std::string_view rest = bytes;
  const auto got = wire::take_submission_decision(rest);
  REQUIRE(got.has_value());
  CHECK(got->sender == std::string(320, 'x'));
  CHECK(got->recipient == "recipient");
}

TEST_CASE("submission log: what is written down is listed newest first, and bounded") {
  test::Folder folder;
  auto db = store::StateDb::open_for_daemon(folder.path("state.db"));
  REQUIRE(db.ok());
  constexpr std::int64_t kMore = 10;
  store::InboundLog log;
  for (std::int64_t at = 1; at <= store::StateDb::kMostInbound + kMore; ++at) {
    log.submissions.push_back(decision_of(at));
  }
  REQUIRE_FALSE(db->add_inbound(log, 1'000'000).has_value());
  const auto newest = db->list_submissions(0, 2);
  REQUIRE(newest.ok());
  REQUIRE(newest->size() == 2);
  CHECK(newest->front().decision == decision_of(store::StateDb::kMostInbound + kMore));
  CHECK(newest->back().decision == decision_of(store::StateDb::kMostInbound + kMore - 1));
  const auto all = db->list_submissions(0, 1'000'000);
  REQUIRE(all.ok());
  CHECK(std::ssize(*all) == store::StateDb::kMostInbound);
  CHECK(all->back().decision.at == 1 + kMore);
  const auto since = db->list_submissions(store::StateDb::kMostInbound, 1'000'000);
  REQUIRE(since.ok());
  CHECK(std::ssize(*since) == kMore + 1);
}
