// What a look at everything asks state.db for.
#include <string>
#include <vector>

#include "src/store/state_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

using model::Phase;
using store::StateChange;
using store::StateDb;

constexpr std::int64_t kNow = 1'795'335'300;

struct Rig {
  test::Folder folder;
  std::string path = folder.path("state.db");
  StateDb db = open();

  [[nodiscard]] StateDb open() const {
    auto opened = StateDb::open_for_daemon(path);
    REQUIRE(opened.ok());
    return std::move(*opened);
  }

  void put(const std::string& destination, Phase phase, std::int64_t since) {
    StateChange change;
    change.id = destination;
    change.destination = destination;
    change.at = since;
    change.state.emplace();
    change.state->version = 1;
    change.state->phase = phase;
    change.state->since = since;
    REQUIRE_FALSE(db.commit({change}));
  }

  void check(const std::string& destination, std::optional<bool> delivers, std::int64_t since,
             std::vector<std::pair<std::string, std::int64_t>> ends = {},
             std::int64_t watched_at = kNow) {
    store::ProbeUpdate update;
    update.record.destination = destination;
    update.record.at = watched_at;
    update.memory.delivers = delivers;
    update.memory.since = since;
    for (const auto& [host, not_after] : ends) {
      auto& peer = update.record.peers.emplace_back();
      peer.host = host;
      peer.not_after = not_after;
    }
    REQUIRE_FALSE(db.add_probes({update}, watched_at));
  }

  // How SQLite would find the rows.
  [[nodiscard]] std::string plan(const std::string& sql) const {
    return test::shell(path, "EXPLAIN QUERY PLAN " + sql);
  }
};

}  // namespace

TEST_CASE("destinations out of the ordinary are counted by phase, the newest downgrade first") {
  Rig rig;
  rig.put("normal.example", Phase::Normal, 1);
  rig.put("old.example", Phase::Downgraded, 10);
  rig.put("new.example", Phase::Downgraded, 20);
  rig.put("back.example", Phase::Probation, 30);
  rig.put("moved.example", Phase::Rerouted, 15);
  const auto counts = rig.db.count_phases();
  REQUIRE(counts.ok());
  std::int64_t downgraded = 0;
  for (const auto& each : *counts) {
    CHECK(each.phase != Phase::Normal);
    if (each.phase == Phase::Downgraded) downgraded = each.count;
  }
  CHECK(counts->size() == 3);
  CHECK(downgraded == 2);
  const auto away = rig.db.list_away(3);
  REQUIRE(away.ok());
  std::vector<std::string> names;
  for (const auto& each : *away) names.push_back(each.destination);
  CHECK(names == std::vector<std::string>{"new.example", "moved.example", "old.example"});
}

TEST_CASE("last checks are counted by what they said, and those that fail are named") {
  Rig rig;
  rig.check("good.example", true, 1);
  rig.check("bad.example", false, 20);
  rig.check("worse.example", false, 10);
  rig.check("unknown.example", std::nullopt, 0);
  rig.check("left.example", false, 5, {}, kNow - 1'000);
  const auto counts = rig.db.count_checks(kNow - 100);
  REQUIRE(counts.ok());
  CHECK(counts->compliant == 1);
  CHECK(counts->failing == 2);
  CHECK(counts->unknown == 1);
  const auto failing = rig.db.list_failing(kNow - 100, 9);
  REQUIRE(failing.ok());
  CHECK(*failing == std::vector<std::string>{"worse.example", "bad.example"});
  CHECK(rig.db.list_failing(kNow - 100, 1)->size() == 1);
}

TEST_CASE("certificates come in the order of their ends, each once for a host") {
  Rig rig;
  rig.check("a.example", true, 1, {{"mx1.a.example", 300}, {"mx1.a.example", 300}, {"mx2", 100}});
  rig.check("b.example", true, 1, {{"mx.b.example", 200}, {"plain.b.example", 0}});
  std::vector<std::string> seen;
  const auto listed = rig.db.list_ends([&seen](const StateDb::SeenEnd& end) {
    seen.push_back(std::string(end.destination) + " " + std::string(end.host));
    return seen.size() < 3;
  });
  REQUIRE(listed.ok());
  CHECK(seen == std::vector<std::string>{"a.example mx2", "b.example mx.b.example",
                                         "a.example mx1.a.example"});
}

TEST_CASE("none of these reads a whole table or sorts one") {
  const Rig rig;
  for (const std::string sql :
       {"SELECT phase, count(*) FROM destination_state WHERE phase <> 'normal' GROUP BY phase",
        "SELECT destination FROM probe WHERE delivers = 0 AND watched_at >= 1",
        "SELECT delivers, count(*) FROM probe WHERE watched_at >= 1 GROUP BY delivers",
        "SELECT DISTINCT not_after, destination, host FROM probe_address WHERE not_after > 0 "
        "ORDER BY not_after, destination, host"}) {
    const auto plan = rig.plan(sql);
    CAPTURE(sql, plan);
    CHECK(plan.find("INDEX") != plan.npos);
    CHECK(plan.find("TEMP B-TREE") == plan.npos);
  }
}

TEST_CASE("a state.db of the schema before gets the indexes") {
  Rig rig;
  test::shell(rig.path,
              "DROP INDEX destination_state_away; DROP INDEX probe_verdict; DROP INDEX "
              "probe_address_end; PRAGMA user_version=5");
  CHECK(StateDb::open_for_daemon(rig.path).ok());
  CHECK(rig.plan("SELECT phase FROM destination_state WHERE phase <> 'normal'")
            .find("destination_state_away") != std::string::npos);
}
