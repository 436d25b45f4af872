// state.db written by role `store`.
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>

#include "src/store/schema.h"
#include "src/store/sqlite.h"
#include "tests/inject/scenario.h"
#include "tests/inject/state_samples.h"
#include "tests/unit/probe_samples.h"

namespace inject {
namespace {

using store::StateDb;
constexpr std::int64_t kHour = 3600;
constexpr std::uint64_t kOld = 100;  // the number of a change that was there before

void prepare(const World& world) {
  auto db = must(StateDb::open_for_daemon(world.path("state.db")));
  if (db.commit({change_of(kOld)})) give_up("commit");
}

// Each in a transaction of its own but the last three; one that is refused is proposed again, as
// `answer` does, unless the connection is not to be used any more.
Outcome commit(const World& world) {
  auto db = StateDb::open_for_daemon(world.path("state.db"));
  if (!db) return world.refused(db.error());
  Outcome outcome = Outcome::Exact;
  for (unsigned i = 0; i < 4; ++i) {
    std::vector<store::StateChange> changes{change_of(i)};
    if (i == 3) changes = {change_of(3), change_of(4), change_of(5)};
    auto refused = db->commit(changes);
    if (refused && !refused->is_fatal) refused = db->commit(changes);
    if (refused) {
      outcome = world.refused(refused->text);
      if (refused->is_fatal) return outcome;
      continue;
    }
    world.acknowledge(i);
    if (i == 3) world.acknowledge(4);
    if (i == 3) world.acknowledge(5);
  }
  return outcome;
}

std::string inspect_commit(const World& world) {
  const auto path = world.path("state.db");
  if (auto damage = find_state_damage(path); !damage.empty()) return damage;
  auto db = must(StateDb::open_for_daemon(path));
  std::array<bool, 6> is_there{};
  for (unsigned i = 0; i < is_there.size(); ++i) {
    if (auto half = find_change(db, i, is_there.at(i)); !half.empty()) return half;
    if (world.is_acknowledged(i) && !is_there.at(i)) return fmt::format("change {} is lost", i);
  }
  if (is_there[3] != is_there[4] || is_there[3] != is_there[5]) return "half of a transaction";
  bool is_old_there = false;
  if (auto half = find_change(db, kOld, is_old_there); !half.empty()) return half;
  return is_old_there ? "" : "what was there before is lost";
}

// Two destinations, counted together or not at all.
Outcome count(const World& world) {
  auto db = StateDb::open_for_daemon(world.path("state.db"));
  if (!db) return world.refused(db.error());
  store::EvidenceCount one;
  one.destination = "a.example";
  one.hour = 10 * kHour;
  one.is_trusted = true;
  one.outcome = {model::Security::Encrypted, std::nullopt};
  one.count = 1;
  auto other = one;
  other.destination = "b.example";
  model::Asked asked;
  asked.row = "*";
  asked.profile = "required";
  for (unsigned i = 0; i < 3; ++i) {
    if (const auto refused = db->add_counts({one, other}, {11 * kHour, i + 1}, 11 * kHour)) {
      return world.refused(refused->text);
    }
    world.acknowledge(i);
    if (const auto refused = db->add_observed({{one, asked}})) {
      return world.refused(refused->text);
    }
    world.acknowledge(10 + i);
  }
  return Outcome::Exact;
}

std::string inspect_count(const World& world) {
  const auto path = world.path("state.db");
  if (auto damage = find_state_damage(path); !damage.empty()) return damage;
  auto db = must(StateDb::open_for_daemon(path));
  std::int64_t of_a = 0;
  std::int64_t of_b = 0;
  for (const auto& row : must(db.list_counts("a.example", 0))) of_a += row.count;
  for (const auto& row : must(db.list_counts("b.example", 0))) of_b += row.count;
  std::int64_t observed = 0;
  must(db.list_observed("", 0, [&observed](const store::ObservedCount& row) {
    observed += row.seen.count;
    return true;
  }));
  std::int64_t least = 0;
  std::int64_t least_observed = 0;
  for (unsigned i = 0; i < 3; ++i) {
    least += world.is_acknowledged(i) ? 1 : 0;
    least_observed += world.is_acknowledged(10 + i) ? 1 : 0;
  }
  if (of_a != of_b) return "half of a transaction";
  if (of_a < least || of_a > least + 1) return fmt::format("{} of {} counted", of_a, least);
  if (observed < least_observed || observed > least_observed + 1) return "observed otherwise";
  const auto clock = must(db.load_clock());
  return clock.lived == of_a ? "" : "the clock is of another transaction";
}

Outcome note(const World& world) {
  auto db = StateDb::open_for_daemon(world.path("state.db"));
  if (!db) return world.refused(db.error());
  for (unsigned i = 0; i < 3; ++i) {
    store::ProbeUpdate update;
    update.record = test::record_of(fmt::format("p{}.example", i), 1000 * test::kDay,
                                    {test::good_peer("mx.p.example")});
    update.memory.delivers = true;
    update.changes = {{1000 * test::kDay, update.record.destination,
                       model::WatchChangeKind::PinChanged, "mx.p.example", "AA:01", "AA:02", "it"}};
    if (const auto refused = db->add_probes({update}, 1000 * test::kDay)) {
      return world.refused(refused->text);
    }
    world.acknowledge(i);
  }
  store::InboundLog log;
  log.decisions.push_back(
      {1000, 7, "sender", "192.0.2.1", "a", "u@a.example", "", "encrypt", "", "reject"});
  log.counts.push_back({{7200, 7, "a.example", "192.0.2.0/24", "encrypt", "", "reject"}, 1});
  if (const auto refused = db->add_inbound(log, 8000)) return world.refused(refused->text);
  world.acknowledge(10);
  if (const auto refused = db->save_text("panic", "observe")) return world.refused(refused->text);
  world.acknowledge(11);
  return Outcome::Exact;
}

std::string inspect_note(const World& world) {
  const auto path = world.path("state.db");
  if (auto damage = find_state_damage(path); !damage.empty()) return damage;
  auto db = must(StateDb::open_for_daemon(path));
  for (unsigned i = 0; i < 3; ++i) {
    const auto name = fmt::format("p{}.example", i);
    const auto found = must(db.find_probe(name));
    const auto changes = must(db.list_probe_changes(0, name, 10));
    if (found.has_value() != !changes.empty()) return "half of a check";
    if (found && found->record.peers.size() != 1) return "a check without its peers";
    if (!found && world.is_acknowledged(i)) return "a check is lost";
  }
  const bool is_decided = !must(db.list_inbound(0, 10)).empty();
  const bool is_counted = !must(db.sum_inbound(0)).empty();
  if (is_decided != is_counted) return "half of what is known of incoming mail";
  if (!is_decided && world.is_acknowledged(10)) return "an inbound decision is lost";
  const auto text = must(db.load_text("panic"));
  if (world.is_acknowledged(11) && text != "observe") return "a text is lost";
  return {};
}

// A first start: there is no file.
Outcome begin(const World& world) {
  auto db = StateDb::open_for_daemon(world.path("state.db"));
  if (!db) return world.refused(db.error());
  if (const auto refused = db->commit({change_of(1)})) return world.refused(refused->text);
  world.acknowledge(1);
  return Outcome::Exact;
}

std::string inspect_begin(const World& world) {
  const auto path = world.path("state.db");
  if (auto damage = find_state_damage(path); !damage.empty()) return damage;
  auto db = must(StateDb::open_for_daemon(path));
  bool is_there = false;
  if (auto half = find_change(db, 1, is_there); !half.empty()) return half;
  return world.is_acknowledged(1) && !is_there ? "the change is lost" : "";
}

// A file of the first schema, with a state in it.
void prepare_migrate(const World& world) {
  const auto path = world.path("state.db");
  auto [db, failure] = store::Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0);
  auto first = store::state_schema();
  first.steps.resize(1);
  must(store::migrate(db, first));
  failure = db.execute(
      "INSERT INTO evidence(view, destination, hour, source, cause, security, trusted,"
      " count) VALUES('', 'a.example', 36000, 'outcome', '', 'encrypted', 1, 5)");
  if (failure.failed()) give_up(failure.text);
}

std::string inspect_migrate(const World& world) {
  if (auto fault = inspect_begin(world); !fault.empty()) return fault;
  auto db = must(StateDb::open_for_daemon(world.path("state.db")));
  const auto counts = must(db.list_counts("a.example", 0));
  return counts.size() == 1 && counts.front().count == 5 ? "" : "counters are lost";
}

const std::array kScenarios{
    Scenario{"state-commit", prepare, commit, inspect_commit},
    Scenario{"state-count", prepare, count, inspect_count},
    Scenario{"state-note", prepare, note, inspect_note},
    Scenario{"state-begin", [](const World&) {}, begin, inspect_begin},
    Scenario{"state-migrate", prepare_migrate, begin, inspect_migrate},
};

}  // namespace

std::span<const Scenario> state_scenarios() {
  return kScenarios;
}

}  // namespace inject
