// What role `store` makes of state.db where something in it can't be read, and of an admin's panic.
#include "src/app/state_keeper.h"

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "src/base/bytes.h"
#include "src/wire/inbound_record.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

using model::RowMode;

constexpr std::int64_t kNow = 1'800'000'000;

struct SetClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(at));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
  std::int64_t at = kNow;
};

struct Heard final : app::StateKeeper::Outlet {
  bool tell_answer(wire::StoreToAnswer type, std::string_view payload,
                   std::span<const int> /*fds*/) override {
    if (type == wire::StoreToAnswer::StateBase) ++bases;
    if (type == wire::StoreToAnswer::Mode) mode = wire::parse_mode(payload).value();
    return true;
  }
  bool tell_parent(wire::ToParent type, std::string_view payload,
                   std::span<const int> /*fds*/) override {
    if (type == wire::ToParent::Alarm) alarms.push_back(wire::parse_alarm(payload).value());
    if (type != wire::ToParent::StateBase) return true;
    ++offered;
    on_offer();
    return !is_parent_full;
  }
  void note_proposal(const wire::Proposal& /*proposal*/) override {}
  void note_count(const wire::CountRecord& /*count*/) override {}
  int bases = 0;
  int offered = 0;  // bases, to the parent
  bool is_parent_full = false;
  std::function<void()> on_offer = [] {};
  wire::ModeMessage mode;
  std::vector<wire::AlarmMessage> alarms;
};

struct Rig {
  // What an earlier daemon left.
  Rig() {
    auto db = store::StateDb::open_for_daemon(path);
    REQUIRE(db.ok());
    store::StateChange change;
    change.id = "1";
    change.destination = "peer.example";
    change.state.emplace().version = 7;
    REQUIRE_FALSE(db->commit({change}));
    REQUIRE_FALSE(db->add_counts({}, {kNow, 4711}, kNow));
  }
  [[nodiscard]] std::string shell(const std::string& sql) const { return test::shell(path, sql); }
  void tell_clock(std::int64_t wall) {
    std::string payload;
    base::append_number<std::int64_t>(payload, wall);
    base::append_number<std::int64_t>(payload, 5000);
    keeper.on_clock(payload);
  }

  test::Folder folder;
  std::string path = folder.path("state.db");
  net::Loop loop;
  SetClock clock;
  Heard heard;
  app::StateKeeper keeper{loop, clock, heard};
};

}  // namespace

TEST_CASE("state keeper: a clock that can't be read is not a clock that never ran") {
  Rig rig;
  const std::string name = GENERATE("wall", "lived");
  INFO(name);
  CHECK(rig.shell("UPDATE memory SET value = 'noon' WHERE name = '" + name + "'").empty());
  rig.keeper.open(rig.path);
  CHECK(rig.keeper.db() == nullptr);
  CHECK(rig.heard.bases == 0);
  CHECK(rig.keeper.alarm().find("\"" + name + "\" is no number") != std::string::npos);
  // What it says is not written over.
  rig.keeper.finish();
  CHECK(rig.shell("SELECT value FROM memory WHERE name = '" + name + "'") == "noon");
}

TEST_CASE("state keeper: a state that can't be read is told of, until it can") {
  Rig rig;
  CHECK(rig.shell("UPDATE destination_state SET state = '{'").empty());
  rig.keeper.open(rig.path);
  CHECK(rig.heard.bases == 1);
  REQUIRE(rig.heard.alarms.size() == 1);
  CHECK(rig.heard.alarms[0].what == "ledger");
  CHECK(rig.heard.alarms[0].text.find("of peer.example can't be read") != std::string::npos);
  rig.keeper.on_answer_connected();
  CHECK(rig.heard.alarms.size() == 1);

  wire::Proposal reset;
  reset.id = 2;
  reset.destination = "peer.example";
  reset.state.emplace().version = 8;
  rig.keeper.on_proposal(wire::to_payload(reset));
  rig.keeper.finish();
  rig.keeper.on_answer_connected();
  REQUIRE(rig.heard.alarms.size() == 2);
  CHECK(rig.heard.alarms[1].is_over);
}

TEST_CASE("state keeper: a panic lasts as long as asked for where the clock was set back") {
  Rig rig;
  rig.keeper.open(rig.path);
  rig.tell_clock(kNow);
  rig.clock.at = kNow - 7200;
  REQUIRE_FALSE(rig.keeper.panic(RowMode::Observe, 3600));
  CHECK(rig.heard.mode.mode == static_cast<std::uint8_t>(RowMode::Observe));
  CHECK(rig.heard.mode.until == kNow + 3600);
  // It is remembered.
  SetClock clock;
  app::StateKeeper next(rig.loop, clock, rig.heard);
  next.open(rig.path);
  CHECK(next.mode().until == kNow + 3600);
}

TEST_CASE("state keeper: a parent that has no room for the base is offered it again") {
  Rig rig;
  rig.heard.is_parent_full = true;
  rig.keeper.open(rig.path);
  CHECK(rig.heard.offered == 1);
  rig.heard.on_offer = [&rig] {
    rig.clock.at += 10;
    rig.heard.is_parent_full = rig.heard.offered < 3;
    if (!rig.heard.is_parent_full) rig.loop.stop();
  };
  rig.clock.at += 10;
  net::Timer patience(rig.loop, [&rig] { rig.loop.stop(); });
  patience.start(std::chrono::seconds{10});
  rig.loop.run();
  CHECK(rig.heard.offered == 3);
}

TEST_CASE("state keeper: what has no room while the file can't be written is counted as dropped") {
  Rig rig;
  std::string payload;
  for (int i = 0; i < 1'000; ++i) wire::append_record(payload, model::InboundCount{});
  for (int i = 0; i < 51; ++i)
    rig.keeper.inbound().take(wire::AnswerToStore::InboundCounts, payload);
  CHECK(rig.keeper.dropped() == 1'000);
  payload.clear();
  for (int i = 0; i < 1'000; ++i) wire::append_count_record(payload, {});
  for (int i = 0; i < 201; ++i) rig.keeper.on_counts(payload);
  CHECK(rig.keeper.dropped() == 2'000);
  payload.clear();
  for (int i = 0; i < 1'000; ++i) wire::append_observed_record(payload, {});
  for (int i = 0; i < 201; ++i) rig.keeper.on_observed(payload);
  CHECK(rig.keeper.dropped() == 3'000);
}
