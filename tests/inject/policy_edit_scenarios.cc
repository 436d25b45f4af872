// policy.db made, upgraded, edited and read by the admin's tools.
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>

#include "src/store/row_import.h"
#include "src/store/schema.h"
#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"

namespace inject {
namespace {

using store::PolicyDb;
constexpr int kRows = 12;
constexpr unsigned kAll = 40;  // the number of what is acknowledged as a whole

store::OutboundRow row_of(int number) {
  store::OutboundRow row;
  row.destination = fmt::format("new{}.example", number);
  row.profile = "secure";
  row.match = fmt::format("mx{}.example", number);
  row.reason = "a contract";
  return row;
}

// Whether the row is there, and as it was written.
std::string find_row(PolicyDb& db, int number, bool& is_there) {
  const auto found = must(db.find_outbound(row_of(number).destination));
  is_there = found.has_value();
  if (found && *found != row_of(number)) return fmt::format("half of row {}", number);
  return {};
}

std::string inspect_file(const World& world) {
  return find_damage(world.path("policy.db"));
}

Outcome init(const World& world) {
  const auto made = PolicyDb::init(world.path("policy.db"));
  if (!made) return world.refused(made.error());
  world.acknowledge(kAll);
  return Outcome::Exact;
}

// A file that was said to be made is whole; one that wasn't must not pass for a policy.
std::string inspect_init(const World& world) {
  const auto path = world.path("policy.db");
  const bool is_there = ::access(path.c_str(), F_OK) == 0;
  if (!is_there) return world.is_acknowledged(kAll) ? "there is no file" : "";
  auto db = PolicyDb::open(path, PolicyDb::Access::ReadWrite);
  if (!db) return world.is_acknowledged(kAll) ? db.error() : "";
  return must(db->list_profiles()).size() == 10 ? inspect_file(world) : "profiles are missing";
}

void prepare_upgrade(const World& world) {
  auto [db, failure] =
      store::Database::open(world.path("policy.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0);
  auto first = store::policy_schema();
  first.steps.resize(1);
  must(store::migrate(db, first));
  failure = db.execute(
      "INSERT INTO outbound(destination, profile) VALUES('a.example', 'required'),"
      "('b.example', 'secure')");
  if (failure.failed()) give_up(failure.text);
}

Outcome upgrade(const World& world) {
  const auto upgraded = PolicyDb::upgrade(world.path("policy.db"));
  if (!upgraded) return world.refused(upgraded.error());
  world.acknowledge(kAll);
  return Outcome::Exact;
}

std::string inspect_upgrade(const World& world) {
  auto [db, failure] = store::Database::open(world.path("policy.db"), SQLITE_OPEN_READWRITE, 1000);
  const auto [version, version_failure] = db.number("PRAGMA user_version");
  if (version_failure.failed()) return version_failure.text;
  const auto newest = store::policy_schema().newest();
  if (version != newest && (version != 1 || world.is_acknowledged(kAll))) {
    return fmt::format("schema {}", version);
  }
  const auto [rows, rows_failure] = db.number("SELECT count(*) FROM outbound");
  if (rows != 2) return "rows are gone";
  const auto fault = store::find_schema_fault(db, version);
  if (fault.text || fault.failure.failed()) return fault.text.value_or(fault.failure.text);
  return inspect_file(world);
}

void prepare_rows(const World& world) {
  make_policy_db(world.path("policy.db"), kRows);
}

// Row 0 to 4 are set, one of the first is removed.
Outcome edit(const World& world) {
  auto db = PolicyDb::open(world.path("policy.db"), PolicyDb::Access::ReadWrite);
  if (!db) return world.refused(db.error());
  for (int i = 0; i < 5; ++i) {
    const auto set = db->set_outbound(row_of(i));
    if (!set) return world.refused(set.error());
    world.acknowledge(static_cast<unsigned>(i));
  }
  const auto removed = db->remove_outbound("d00.example");
  if (!removed) return world.refused(removed.error());
  if (!*removed) return world.wrong("d00.example was not found");
  world.acknowledge(5);
  return Outcome::Exact;
}

std::string inspect_edit(const World& world) {
  auto db = must(PolicyDb::open(world.path("policy.db"), PolicyDb::Access::ReadWrite));
  std::size_t rows = kRows;
  for (int i = 0; i < 5; ++i) {
    bool is_there = false;
    if (auto half = find_row(db, i, is_there); !half.empty()) return half;
    if (!is_there && world.is_acknowledged(static_cast<unsigned>(i))) return "a set row is lost";
    rows += is_there ? 1 : 0;
  }
  const bool is_removed = !must(db.find_outbound("d00.example"));
  if (world.is_acknowledged(5) && !is_removed) return "a removed row is back";
  rows -= is_removed ? 1 : 0;
  if (must(db.list_outbound()).size() != rows) return "another number of rows";
  // One line for each insert and each removal, those of the sample's own rows included.
  if (must(db.list_changes("outbound", "", 1000)).size() != rows + (is_removed ? 2 : 0)) {
    return "the change log tells another story";
  }
  return inspect_file(world);
}

Outcome import(const World& world) {
  auto db = PolicyDb::open(world.path("policy.db"), PolicyDb::Access::ReadWrite);
  if (!db) return world.refused(db.error());
  auto rows = store::RowImport::begin(*db, store::RowImport::Kind::Write);
  if (!rows) return world.refused(rows.error());
  std::size_t seen = 0;
  if (const auto walked = rows->walk([&seen](store::OutboundRow&&) { ++seen; }); !walked) {
    return world.refused(walked.error());
  }
  if (seen != kRows) return world.wrong("rows were passed over");
  for (int i = 0; i < 10; ++i) {
    if (const auto put = rows->put(row_of(i)); !put) return world.refused(put.error());
  }
  if (const auto removed = rows->remove("d01.example"); !removed) {
    return world.refused(removed.error());
  }
  if (const auto done = rows->commit(); !done) return world.refused(done.error());
  world.acknowledge(kAll);
  return Outcome::Exact;
}

std::string inspect_import(const World& world) {
  auto db = must(PolicyDb::open(world.path("policy.db"), PolicyDb::Access::ReadWrite));
  int count = must(db.find_outbound("d01.example")) ? 0 : 1;
  for (int i = 0; i < 10; ++i) {
    bool is_there = false;
    if (auto half = find_row(db, i, is_there); !half.empty()) return half;
    count += is_there ? 1 : 0;
  }
  if (count != 11 && (count != 0 || world.is_acknowledged(kAll))) {
    return fmt::format("{} of 11 changes of one transaction", count);
  }
  return inspect_file(world);
}

// What `list` and `export` read.
Outcome list(const World& world) {
  auto db = PolicyDb::open(world.path("policy.db"), PolicyDb::Access::ReadOnly);
  if (!db) return world.refused(db.error());
  const auto rows = db->list_outbound();
  if (!rows) return world.refused(rows.error());
  const auto profiles = db->list_profiles();
  if (!profiles) return world.refused(profiles.error());
  const auto inbound = db->list_inbound();
  if (!inbound) return world.refused(inbound.error());
  const auto submission = db->list_submission();
  if (!submission) return world.refused(submission.error());
  const Calm ours;
  for (const auto& row : *rows) {
    if (row.profile == "secure" &&
        row.match != "mx." + row.destination + ":.mx." + row.destination) {
      return world.wrong("a row came without its match: " + row.destination);
    }
  }
  const bool is_all = rows->size() == kRows && profiles->size() == 10 && inbound->size() == 3 &&
                      submission->size() == 1 && submission->front().sender == "boss@a.example" &&
                      inbound->back().rule.sender == "a.example" &&
                      rows->back().destination == "d11.example";
  return is_all ? Outcome::Exact
                : world.wrong(fmt::format("listed: {} rows, {} profiles, {} and {} rules",
                                          rows->size(), profiles->size(), inbound->size(),
                                          submission->size()));
}

const std::array kScenarios{
    Scenario{"db-init", [](const World&) {}, init, inspect_init},
    Scenario{"db-upgrade", prepare_upgrade, upgrade, inspect_upgrade},
    Scenario{"db-edit", prepare_rows, edit, inspect_edit},
    Scenario{"db-import", prepare_rows, import, inspect_import},
    Scenario{"db-list", prepare_rows, list,
             [](const World& world) {
               return world.is_as_before("policy.db") ? "" : inspect_file(world);
             }},
};

}  // namespace

std::span<const Scenario> policy_edit_scenarios() {
  return kScenarios;
}

}  // namespace inject
