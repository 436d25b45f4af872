// Records of incoming mail: on the wire between the roles, and in state.db.
#include "src/store/state_db.h"
#include "src/wire/inbound_record.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

model::InboundDecision decision(std::int64_t at) {
  return {at, 3,     "client",    "192.0.2.1", "mx.a.example", "u@a.example",
          "", "TLS", "plaintext", "reject"};
}

model::InboundCount count(std::int64_t hour, std::int64_t messages, std::string action = {}) {
  return {{hour, 3, "a.example", "192.0.2.0/24", action.empty() ? "" : "TLS",
           action.empty() ? "" : "plaintext", action},
          messages};
}

struct Store {
  test::Folder folder;
  store::StateDb db = *store::StateDb::open_for_daemon(folder.path("state.db"));
};

}  // namespace

TEST_CASE("each inbound record comes back from its bytes, and from no shorter ones") {
  std::string bytes;
  wire::append_record(bytes, decision(5));
  std::string_view rest = bytes;
  CHECK(wire::take_inbound_decision(rest) == decision(5));
  CHECK(rest.empty());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(wire::take_inbound_decision(part).has_value());
    CHECK(part.size() == size);
  }
  bytes.clear();
  wire::append_record(bytes, count(3600, 4, "defer"));
  wire::append_record(bytes, count(7200, 5));
  rest = bytes;
  CHECK(wire::take_inbound_count(rest) == count(3600, 4, "defer"));
  CHECK(wire::take_inbound_count(rest) == count(7200, 5));
  bytes.clear();
  const model::InboundKnown known{"a.example", "192.0.2.0/24", 9};
  wire::append_record(bytes, known);
  rest = bytes;
  CHECK(wire::take_inbound_known(rest) == known);
}

TEST_CASE("decisions are listed newest first, since a moment") {
  Store store;
  CHECK_FALSE(store.db.add_inbound({{decision(5), decision(6), decision(7)}, {}, {}}, 10));
  const auto rows = store.db.list_inbound(6, 10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].decision == decision(7));
  CHECK((*rows)[1].decision == decision(6));
  CHECK(store.db.list_inbound(0, 1)->size() == 1);
}

TEST_CASE("counters of one kind add up over the hours") {
  Store store;
  CHECK_FALSE(store.db.add_inbound({{}, {count(3600, 4), count(3600, 1, "observe")}, {}}, 7300));
  CHECK_FALSE(store.db.add_inbound({{}, {count(3600, 2), count(7200, 1)}, {}}, 7300));
  const auto sums = store.db.sum_inbound(0);
  REQUIRE(sums.ok());
  REQUIRE(sums->size() == 2);
  CHECK((*sums)[0].count == count(3600, 7));
  CHECK((*sums)[0].last_hour == 7200);
  CHECK((*sums)[1].count == count(3600, 1, "observe"));
  CHECK(store.db.sum_inbound(7200)->size() == 1);
}

TEST_CASE("what was learnt of a sender only grows") {
  Store store;
  CHECK_FALSE(store.db.add_inbound({{}, {}, {{"a.example", "n", 5}}}, 1));
  CHECK_FALSE(store.db.add_inbound({{}, {}, {{"a.example", "n", 3}}}, 2));
  std::vector<model::InboundKnown> known;
  CHECK(store.db.load_known(10, [&known](const auto& one) { known.push_back(one); }).ok());
  REQUIRE(known.size() == 1);
  CHECK(known[0].messages == 5);
}

TEST_CASE("the oldest decisions give way where there are too many") {
  Store store;
  const auto most = store::StateDb::kMostInbound;
  std::vector<model::InboundDecision> many(10'000, decision(1));
  for (std::int64_t i = 0; i < most / 10'000 + 1; ++i) {
    CHECK_FALSE(store.db.add_inbound({many, {}, {}}, 1));
  }
  const auto rows = store.db.list_inbound(0, 2 * most);
  REQUIRE(rows.ok());
  CHECK(static_cast<std::int64_t>(rows->size()) == most);
}
