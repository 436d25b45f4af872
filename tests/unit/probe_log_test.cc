// What checks of destinations found, as state.db keeps it.
#include "src/store/state_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"
#include "tests/unit/probe_samples.h"

using store::ProbeUpdate;
using store::StateDb;
using test::kDay;

namespace {

constexpr std::int64_t kNow = 1'000 * kDay;

ProbeUpdate update(std::string destination, std::int64_t at = kNow) {
  ProbeUpdate one;
  one.record = test::record_of(
      std::move(destination), at,
      {test::good_peer("mx1.partner.example"), test::plain_peer("mx2.partner.example")});
  one.record.is_secure = true;
  one.record.trouble = "something was left out";
  one.memory.hosts = {{"mx1.partner.example", at, 0, {"Example Trust"}, {"AA:01", "AA:02"}},
                      {"mx2.partner.example", 5, at, {}, {}}};
  one.memory.delivers = true;
  one.memory.since = at;
  one.memory.warned_days = 13;
  one.memory.warned_of = at + 10 * kDay;
  one.changes = {{at, one.record.destination, model::WatchChangeKind::PinChanged,
                  "mx1.partner.example", "AA:01", "AA:02", "another key"}};
  return one;
}

struct Store {
  test::Folder folder;
  std::string path = folder.path("state.db");
  StateDb db = *StateDb::open_for_daemon(path);

  std::vector<std::string> destinations() {
    std::vector<std::string> names;
    CHECK(db.load_probes([&names](const store::StoredProbe& stored) {
              names.push_back(stored.record.destination);
              return true;
            }).ok());
    return names;
  }
  [[nodiscard]] std::string sql(const std::string& text) const { return test::shell(path, text); }
};

store::EvidenceCount count(std::string view, std::int64_t hour, model::Source source,
                           std::optional<model::Cause> cause, std::int64_t number) {
  return {std::move(view), "a.example", hour, source, {model::Security::Encrypted, cause}, true,
          number};
}

}  // namespace

TEST_CASE("the last check of a destination comes back whole") {
  Store store;
  const auto written = update("a.example");
  CHECK_FALSE(store.db.add_probes({written}, kNow + 1));
  const auto found = store.db.find_probe("a.example");
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->record == written.record);
  CHECK((*found)->memory == written.memory);
  CHECK((*found)->watched_at == kNow + 1);
  CHECK_FALSE(store.db.find_probe("b.example")->has_value());
}

TEST_CASE("a check takes the place of the one before, and leaves none of its addresses") {
  Store store;
  CHECK_FALSE(store.db.add_probes({update("a.example"), update("b.example")}, kNow));
  auto next = update("a.example", kNow + 5);
  next.record.peers.resize(1);
  next.record.fault = model::RouteFault::NullMx;
  next.memory.delivers.reset();
  next.changes.clear();
  CHECK_FALSE(store.db.add_probes({next}, kNow + 5));
  const auto found = store.db.find_probe("a.example");
  REQUIRE(found.ok());
  CHECK((*found)->record == next.record);
  CHECK_FALSE((*found)->memory.delivers.has_value());
  CHECK(store.destinations() == std::vector<std::string>{"a.example", "b.example"});
}

TEST_CASE("changes are listed newest first, of one destination or of all, since a moment") {
  Store store;
  CHECK_FALSE(store.db.add_probes(
      {update("a.example", kNow), update("b.example", kNow + 1), update("a.example", kNow + 2)},
      kNow));
  const auto all = store.db.list_probe_changes(0, {}, 10);
  REQUIRE(all.ok());
  REQUIRE(all->size() == 3);
  CHECK((*all)[0].change.at == kNow + 2);
  CHECK((*all)[1].change == update("b.example", kNow + 1).changes[0]);
  CHECK(store.db.list_probe_changes(kNow + 1, "a.example", 10)->size() == 1);
  CHECK(store.db.list_probe_changes(0, {}, 2)->size() == 2);
}

TEST_CASE("a destination that nobody watched for 90 days is forgotten") {
  Store store;
  CHECK_FALSE(store.db.add_probes({update("old.example"), update("kept.example")}, kNow));
  CHECK_FALSE(store.db.note_watched({"kept.example", "unknown.example"}, kNow + 50 * kDay));
  CHECK(store.destinations().size() == 2);
  // The first writing after a start trims.
  store.db = *StateDb::open_for_daemon(store.path);
  CHECK_FALSE(store.db.add_probes({update("new.example", kNow + 91 * kDay)}, kNow + 91 * kDay));
  CHECK(store.destinations() == std::vector<std::string>{"kept.example", "new.example"});
  CHECK(store.sql("SELECT count(*) FROM probe_address WHERE destination='old.example'") == "0");
  CHECK(store.db.list_probe_changes(0, {}, 10)->size() == 1);
}

TEST_CASE("beyond the limit those that were not watched longest are forgotten") {
  Store store;
  store.db.set_most_probed(2);
  std::vector<ProbeUpdate> updates;
  for (const auto* name : {"a.example", "b.example", "c.example"}) updates.push_back(update(name));
  CHECK_FALSE(store.db.add_probes({updates[0]}, kNow));
  CHECK_FALSE(store.db.add_probes({updates[1], updates[2]}, kNow + 1));
  CHECK(store.destinations().size() == 3);
  // Looked after each so many.
  std::vector<ProbeUpdate> many(static_cast<std::size_t>(StateDb::kProbeTrimEvery), updates[2]);
  CHECK_FALSE(store.db.add_probes(many, kNow + 2));
  CHECK(store.destinations() == std::vector<std::string>{"b.example", "c.example"});
  CHECK(store.db.list_probe_changes(0, {}, 9'999)->size() == 2);
}

TEST_CASE("a row that was tampered with is as good as never checked") {
  for (const auto* sql : {"UPDATE probe SET memory='[3]'", "UPDATE probe SET fault='what'",
                          "UPDATE probe SET memory='x'",
                          "UPDATE probe SET memory='[{\"name\":\"a\",\"offered_at\":1}]'"}) {
    Store store;
    CHECK_FALSE(store.db.add_probes({update("a.example")}, kNow));
    CHECK(store.sql(sql).empty());
    const auto found = store.db.find_probe("a.example");
    REQUIRE(found.ok());
    CHECK_FALSE(found->has_value());
  }
  Store store;
  CHECK_FALSE(store.db.add_probes({update("a.example")}, kNow));
  CHECK(store.sql("UPDATE probe_address SET trust='what' WHERE place=0").empty());
  CHECK((*store.db.find_probe("a.example"))->record.peers.size() == 1);
}

TEST_CASE("deliveries of a week are counted over all views, and none of them twice") {
  Store store;
  using model::Source;
  CHECK_FALSE(store.db.add_counts(
      {count("", kNow, Source::Outcome, {}, 3), count("v", kNow, Source::Outcome, {}, 2),
       count("", kNow, Source::Maillog, {}, 4), count("", kNow, Source::Probe, {}, 50),
       count("", kNow, Source::Outcome, model::Cause::Timeout, 50),
       count("", kNow - 8 * kDay, Source::Outcome, {}, 50)},
      {kNow, 0}, kNow));
  const auto seen = store.db.count_deliveries("a.example", kNow - 7 * kDay);
  REQUIRE(seen.ok());
  CHECK(*seen == 5);
  CHECK(*store.db.count_deliveries("b.example", 0) == 0);
}

TEST_CASE("a state.db of a schema before that of checks gets the tables of checks") {
  test::Folder folder;
  const auto path = folder.path("state.db");
  { CHECK(StateDb::open_for_daemon(path).ok()); }
  test::shell(path,
              "DROP TABLE probe; DROP TABLE probe_address; DROP TABLE probe_change; "
              "DROP INDEX destination_state_away; PRAGMA user_version=4");
  CHECK_FALSE(StateDb::open_read_only(path).ok());
  auto db = StateDb::open_for_daemon(path);
  REQUIRE(db.ok());
  CHECK_FALSE(db->add_probes({update("a.example")}, kNow));
}
