// state.db read: what is known must come whole or not at all, and a broken ledger must never pass.
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>

#include "src/store/sqlite.h"
#include "tests/inject/scenario.h"
#include "tests/inject/state_samples.h"

namespace inject {
namespace {

using store::StateDb;
constexpr std::uint64_t kChanges = 12;

void prepare(const World& world) {
  auto db = must(StateDb::open_for_daemon(world.path("state.db")));
  for (std::uint64_t i = 0; i < kChanges; ++i) {
    if (db.commit({change_of(i)})) give_up("commit");
  }
}

// Decision 5 says another level than it did.
void prepare_tampered(const World& world) {
  prepare(world);
  auto [db, failure] = store::Database::open(world.path("state.db"), SQLITE_OPEN_READWRITE, 0);
  failure = db.execute(
      "DROP TRIGGER decision_is_append_only_1;"
      "UPDATE decision SET to_level='none' WHERE seq=5");
  if (failure.failed()) give_up(failure.text);
}

std::string inspect(const World& world) {
  if (world.is_as_before("state.db")) return {};
  return find_state_damage(world.path("state.db"));
}

Outcome verify(const World& world, bool is_tampered) {
  auto db = StateDb::open_read_only(world.path("state.db"));
  if (!db) return world.refused(db.error());
  const auto found = db->verify_ledger("");
  if (!found) return world.refused(found.error());
  const Calm ours;
  if (is_tampered != !found->text.empty()) {
    return world.wrong(fmt::format("the ledger is said to be: '{}'", found->text));
  }
  if (!is_tampered && found->rows != kChanges) return world.wrong("rows were passed over");
  return Outcome::Exact;
}

// What a new `answer` begins with.
Outcome load(const World& world) {
  auto db = StateDb::open_for_daemon(world.path("state.db"));
  if (!db) return world.refused(db.error());
  std::size_t count = 0;
  bool is_same = true;
  const auto loaded = db->load_states([&](const store::StoredState& stored) {
    const Calm ours;
    ++count;
    for (std::uint64_t i = 0; i < kChanges; ++i) {
      const auto written = change_of(i);
      if (written.destination == stored.destination) is_same &= *written.state == stored.state;
    }
    return true;
  });
  if (!loaded) return world.refused(loaded.error());
  if (count != kChanges || !is_same) {
    return world.wrong(fmt::format("{} states of {} came{}", count, kChanges,
                                   is_same ? "" : ", another one among them"));
  }
  const auto head = db->head();
  if (!head) return world.refused(head.error());
  return head->seq == kChanges ? Outcome::Exact : world.wrong("another head of the ledger");
}

Outcome find(const World& world) {
  auto db = StateDb::open_read_only(world.path("state.db"));
  if (!db) return world.refused(db.error());
  const auto state = db->find_state("", "d3.example");
  if (!state) return world.refused(state.error());
  const auto decisions = db->list_decisions(0, "", 100);
  if (!decisions) return world.refused(decisions.error());
  const auto clock = db->load_clock();
  if (!clock) return world.refused(clock.error());
  const Calm ours;
  if (!state->has_value()) return world.wrong("a state is not found");
  if ((*state)->state != *change_of(3).state) return world.wrong("another state");
  if (decisions->size() != kChanges) return world.wrong("decisions were passed over");
  for (const auto& row : *decisions) {
    if (row.kind != "downgrade" || row.from_level != "encrypt" || row.rule != "*" ||
        row.hash != store::hash_of(row)) {
      return world.wrong(fmt::format("decision {} is another", row.seq));
    }
  }
  return Outcome::Exact;
}

const std::array kScenarios{
    Scenario{"ledger-whole", prepare, [](const World& world) { return verify(world, false); },
             inspect},
    Scenario{"ledger-tampered", prepare_tampered,
             [](const World& world) { return verify(world, true); },
             [](const World&) { return std::string(); }},
    Scenario{"state-load", prepare, load, inspect},
    Scenario{"state-find", prepare, find, inspect},
};

}  // namespace

std::span<const Scenario> state_reading_scenarios() {
  return kScenarios;
}

}  // namespace inject
