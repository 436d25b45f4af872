#include "src/store/state_db.h"

#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using namespace store;
using model::DecisionKind;

namespace {

model::Decision downgrade() {
  model::Decision decision;
  decision.from = model::Level::Encrypt;
  decision.to = model::Level::May;
  decision.why = "1 failure of TLS, at least 300 s apart";
  decision.rule = "*";
  decision.fallback = "after-retry";
  decision.until = 5000;
  model::Evidence evidence;
  evidence.outcome.cause = model::Cause::HandshakeFailure;
  evidence.is_trusted = true;
  evidence.at = 1000;
  evidence.text = "Cannot start TLS: handshake failure";
  decision.evidence.push_back(evidence);
  return decision;
}

StateChange change(std::string id, std::uint64_t version) {
  StateChange one;
  one.id = std::move(id);
  one.destination = "peer.example";
  one.at = 1300;
  one.state.emplace();
  one.state->version = version;
  one.state->phase = model::Phase::Downgraded;
  one.state->until = 5000;
  one.state->offered_lived = 77;
  one.state->failures.push_back({{1000, 20}, downgrade().evidence.front()});
  one.decisions.push_back(downgrade());
  return one;
}

struct Rig {
  test::Folder folder;
  std::string path = folder.path("state.db");
  StateDb open() {
    auto db = StateDb::open_for_daemon(path);
    INFO((db.ok() ? "" : db.error()));
    REQUIRE(db.ok());
    return std::move(*db);
  }
  // By the sqlite3 shell, as an intruder with write access would. What the shell said.
  [[nodiscard]] std::string tamper(const std::string& sql) const { return test::shell(path, sql); }
  std::string verdict(std::string_view head = {}) {
    auto found = open().verify_ledger(head);
    REQUIRE(found.ok());
    return found->text;
  }
};

}  // namespace

TEST_CASE("state.db: a state that can't be read is that of a peer which offered STARTTLS") {
  Rig rig;
  {
    auto db = rig.open();
    REQUIRE_FALSE(db.commit({change("a", 3)}));
    REQUIRE_FALSE(db.add_counts({}, {9000, 4711}, 9000));
  }
  const std::string damage = GENERATE("level = 'stern'", "state = '{'", "state = '[]'",
                                      "state = json_set(state, '$.failures[0].cause', 'mood')");
  INFO(damage);
  CHECK(rig.tamper("UPDATE destination_state SET " + damage).empty());
  auto db = rig.open();
  std::vector<StoredState> states;
  REQUIRE(db.load_states([&](StoredState stored) {
              states.push_back(std::move(stored));
              return true;
            }).ok());
  const auto found = db.find_state("", "peer.example");
  REQUIRE((found.ok() && found->has_value()));
  states.push_back(**found);
  REQUIRE(states.size() == 2);
  for (const auto& stored : states) {
    CHECK(stored.destination == "peer.example");
    CHECK(stored.is_stand_in);
    CHECK(stored.state.version == 3);
    CHECK(stored.state.phase == model::Phase::Normal);
    CHECK(stored.state.offered_at != 0);
    CHECK(stored.state.offered_lived == 4711);
  }
}

TEST_CASE("state.db: a state and its decision come back as they were committed") {
  Rig rig;
  const auto written = change("a", 3);
  {
    auto db = rig.open();
    REQUIRE_FALSE(db.commit({written}));
  }
  auto db = rig.open();
  auto stored = db.find_state("", "peer.example");
  REQUIRE((stored.ok() && stored->has_value()));
  CHECK((*stored)->state == *written.state);
  const auto decisions = db.list_decisions(0, "peer.example", 10);
  REQUIRE((decisions.ok() && decisions->size() == 1));
  CHECK(decisions->front().kind == "downgrade");
  CHECK(decisions->front().from_level == "encrypt");
  CHECK(decisions->front().until == 5000);
  CHECK(decisions->front().evidence.find("handshake-failure") != std::string::npos);
}

TEST_CASE("state.db: the same proposal twice is one decision, and an old state wins nothing") {
  Rig rig;
  auto db = rig.open();
  REQUIRE_FALSE(db.commit({change("a", 3)}));
  REQUIRE_FALSE(db.commit({change("a", 3), change("b", 2)}));
  CHECK(db.list_decisions(0, "", 10)->size() == 2);
  CHECK((*db.find_state("", "peer.example"))->state.version == 3);
}

TEST_CASE("state.db: a decision tells how many deliveries of the last hour it was about") {
  constexpr std::int64_t kHour = 3600;
  Rig rig;
  auto db = rig.open();
  std::vector<EvidenceCount> counts;
  const auto seen = [&counts](model::Source source, std::int64_t hour, std::uint32_t count) {
    EvidenceCount one;
    one.destination = "peer.example";
    one.source = source;
    one.hour = hour;
    one.count = count;
    one.is_trusted = true;
    counts.push_back(one);
    return &counts.back();
  };
  const auto affected = [&](std::int64_t at) {
    REQUIRE_FALSE(db.add_counts(counts, {at, 1}, at));
    auto one = change("a", 1);
    one.at = at;
    REQUIRE_FALSE(db.commit({one}));
    return db.list_decisions(0, "peer.example", 1)->front().affected;
  };
  SECTION("those of the hour that runs and of the one before, of which a part is not over") {
    seen(model::Source::Outcome, 9 * kHour, 1);
    seen(model::Source::Outcome, 10 * kHour, 2)->outcome.cause = model::Cause::HandshakeFailure;
    seen(model::Source::Outcome, 11 * kHour, 4)->outcome.security = model::Security::Encrypted;
    CHECK(affected(11 * kHour + 600) == 6);
  }
  SECTION("an hour ago to the second is over") {
    seen(model::Source::Outcome, 10 * kHour, 2);
    CHECK(affected(12 * kHour) == 0);
  }
  SECTION("a second less is not") {
    seen(model::Source::Outcome, 10 * kHour, 2);
    CHECK(affected(12 * kHour - 1) == 2);
  }
  SECTION("one delivery that outcome and log report is one") {
    seen(model::Source::Outcome, 11 * kHour, 3);
    seen(model::Source::Maillog, 11 * kHour, 5);
    CHECK(affected(11 * kHour + 600) == 5);
  }
  SECTION("no datagram and no probe is a delivery, and what nobody believes is none") {
    seen(model::Source::Tlsrpt, 11 * kHour, 7);
    seen(model::Source::Probe, 11 * kHour, 7);
    seen(model::Source::Outcome, 11 * kHour, 1);
    seen(model::Source::Outcome, 11 * kHour, 1000)->is_trusted = false;
    CHECK(affected(11 * kHour + 600) == 1);
  }
  SECTION("of this destination in this view") {
    seen(model::Source::Outcome, 11 * kHour, 7)->destination = "other.example";
    seen(model::Source::Outcome, 11 * kHour, 7)->view = "tenant1";
    CHECK(affected(11 * kHour + 600) == 0);
  }
}

TEST_CASE("state.db: the ledger says which decision was changed, and what was cut off") {
  Rig rig;
  std::string head;
  {
    auto db = rig.open();
    for (const auto* id : {"a", "b", "c", "d"}) REQUIRE_FALSE(db.commit({change(id, 1)}));
    head = db.head()->hash;
  }
  CHECK(rig.verdict(head).empty());
  const std::string drop =
      "DROP TRIGGER decision_is_append_only_1; DROP TRIGGER decision_is_append_only_2; ";
  SECTION("a change") {
    CHECK(rig.tamper(drop + "UPDATE decision SET until = 6000 WHERE seq = 2").empty());
    CHECK(rig.verdict() == "decision 2 was changed after it was written");
  }
  SECTION("a row that is gone") {
    CHECK(rig.tamper(drop + "DELETE FROM decision WHERE seq = 3").empty());
    CHECK(rig.verdict() == "decision 3 is missing: 4 follows 2");
  }
  SECTION("a tail that is gone shows by a hash kept elsewhere alone") {
    CHECK(rig.tamper(drop + "DELETE FROM decision WHERE seq = 4").empty());
    CHECK(rig.verdict().empty());
    CHECK(rig.verdict(head).find("cut off after decision 3") != std::string::npos);
  }
}

TEST_CASE("state.db: its own triggers keep every tool from changing the ledger") {
  Rig rig;
  REQUIRE_FALSE(rig.open().commit({change("a", 1)}));
  const auto refused = [&rig](const std::string& sql) {
    return rig.tamper(sql).find("append-only") != std::string::npos;
  };
  CHECK(refused("UPDATE decision SET until = 1"));
  CHECK(refused("DELETE FROM decision"));
  CHECK(refused(
      "INSERT INTO decision SELECT 9, at, kind, destination, from_level, to_level, rule, "
      "fallback, evidence, until, affected, prev_hash, hash, view, why, 'x' FROM decision"));
  CHECK_FALSE(refused("SELECT 1"));
}

TEST_CASE("state.db: counters add up, old hours go, the clocks are kept") {
  Rig rig;
  auto db = rig.open();
  EvidenceCount one;
  one.destination = "peer.example";
  one.hour = 3600;
  one.outcome.security = model::Security::Encrypted;
  one.is_trusted = true;
  one.count = 2;
  REQUIRE_FALSE(db.add_counts({one, one}, {4000, 50}, 4000));
  const auto counts = db.list_counts("peer.example", 0);
  REQUIRE((counts.ok() && counts->size() == 1));
  CHECK(counts->front().count == 4);
  CHECK(db.load_clock()->lived == 50);
  REQUIRE_FALSE(db.add_counts({}, {0, 0}, 3600 + StateDb::kKeptSeconds + 1));
  CHECK(db.list_counts("", 0)->empty());
}

TEST_CASE("state.db: counters are bounded: old hours go first, then what nobody believed") {
  Rig rig;
  auto db = rig.open();
  db.set_most_counters(100);
  EvidenceCount one;
  one.count = 1;
  const auto add = [&](std::int64_t hour, bool is_trusted, int rows) {
    std::vector<EvidenceCount> counts;
    for (int i = 0; i < rows; ++i) {
      one.destination = "d" + std::to_string(i) + (is_trusted ? ".example" : ".flood");
      one.hour = hour * 3600;
      one.is_trusted = is_trusted;
      counts.push_back(one);
    }
    // Within one hour of the host's clock, so it isn't its passing that bounds them.
    REQUIRE_FALSE(db.add_counts(counts, {0, 0}, 100 * 3600));
  };
  const auto of_hour = [&](std::int64_t hour) {
    std::int64_t rows = 0;
    const auto all = db.list_counts("", 0);
    for (const auto& each : *all) rows += each.hour == hour * 3600 ? 1 : 0;
    return rows;
  };
  add(1, true, 60);
  add(2, true, 60);
  add(2, true, 60);
  CHECK(of_hour(1) == 0);
  CHECK(of_hour(2) == 60);
  // A flood within the hour leaves what was believed.
  add(2, false, 5000);
  CHECK(of_hour(2) == 60);
  CHECK(db.list_counts("d0.flood", 0)->empty());
  // And if that is too much as well, nothing is kept but the bound.
  add(2, true, 5000);
  CHECK(of_hour(2) <= 100);
}

TEST_CASE("state.db: another database, and a damaged one, are refused and left alone") {
  Rig rig;
  SECTION("of another kind") {
    CHECK(rig.tamper("PRAGMA application_id=1; CREATE TABLE t(x)").empty());
    const auto db = StateDb::open_for_daemon(rig.path);
    REQUIRE_FALSE(db.ok());
    CHECK(db.error().find("not a state database") != std::string::npos);
  }
  SECTION("from a newer version") {
    rig.open();
    CHECK(rig.tamper("PRAGMA user_version=99").empty());
    const auto daemons = StateDb::open_for_daemon(rig.path);
    REQUIRE_FALSE(daemons.ok());
    CHECK(daemons.error().find("schema 99") != std::string::npos);
    CHECK_FALSE(StateDb::open_read_only(rig.path).ok());
    CHECK(rig.tamper("PRAGMA user_version").find("99") != std::string::npos);
  }
  SECTION("text") {
    std::ofstream(rig.path) << "this is no database at all, and not even close to one\n";
    CHECK_FALSE(StateDb::open_for_daemon(rig.path).ok());
  }
}
