// What role `store` does with checks where state.db refuses some of it for a while.
#include "src/app/probe_keeper.h"

#include <functional>
#include <limits>
#include <string>

#include "src/wire/probe_record.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"
#include "tests/unit/probe_samples.h"
#include "tests/unit/quiet_outlet.h"

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

struct SetClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(kNow));
  }
  [[nodiscard]] base::SteadyPoint steady() const override {
    return std::chrono::steady_clock::now();
  }
};

store::EvidenceCount mail_to(std::string destination, std::int64_t hour, std::int64_t count = 1) {
  store::EvidenceCount one;
  one.destination = std::move(destination);
  one.hour = hour;
  one.outcome.security = model::Security::Encrypted;
  one.is_trusted = true;
  one.count = count;
  return one;
}

struct Rig {
  Rig() { states.open(path); }
  void begin() {
    auto [ours, theirs] = net::make_channel_ends();
    net.emplace(
        loop, std::move(theirs), [](net::Message) {}, [] {});
    keeper.connect(std::move(ours));
  }
  void report(const std::string& destination) {
    std::string payload;
    wire::append_record(
        payload, test::record_of(destination, kNow, {test::good_peer("mx1." + destination)}));
    REQUIRE(net->send(wire::NetToStore::Checked, payload));
  }
  // Lets things happen until then; false where nothing of the kind does.
  bool wait_for(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    net::Timer look(loop, [this] { loop.stop(); });
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      look.start(std::chrono::milliseconds{20});
      loop.run();
    }
    return true;
  }
  [[nodiscard]] std::string shell(const std::string& sql) const { return test::shell(path, sql); }
  bool has_probe(const std::string& destination) {
    return states.db()->find_probe(destination)->has_value();
  }

  test::Folder folder;
  std::string path = folder.path("state.db");
  net::Loop loop;
  SetClock clock;
  test::QuietOutlet quiet;
  app::StateKeeper states{loop, clock, quiet};
  app::ProbeKeeper keeper{loop,
                          clock,
                          states,
                          [] { return nullptr; },
                          [](wire::ToParent, std::string_view) { return true; },
                          [](wire::StoreToAnswer, std::string_view) { return true; }};
  std::optional<net::Channel> net;
};

}  // namespace

TEST_CASE("probe keeper: what is watched is noted again after a refused write") {
  Rig rig;
  REQUIRE_FALSE(rig.states.db()->add_counts({mail_to("partner.example", kNow)}, {kNow, 1}, kNow));
  REQUIRE_FALSE(rig.states.db()->add_probes(
      {{test::record_of("partner.example", kNow - 3'600, {test::good_peer("mx1")}), {}, {}}},
      kNow - 3'600));
  CHECK(rig.shell("CREATE TRIGGER full BEFORE UPDATE ON probe BEGIN SELECT RAISE(ABORT, 'disk "
                  "full'); END")
            .empty());
  rig.begin();
  CHECK(rig.wait_for([&] { return !rig.states.alarm().empty(); }));
  CHECK(rig.shell("DROP TRIGGER full").empty());
  CHECK(rig.wait_for(
      [&] { return rig.states.db()->find_probe("partner.example").value()->watched_at == kNow; }));
}

TEST_CASE("probe keeper: a check that can't be compared holds up no other, and is dropped") {
  Rig rig;
  // More deliveries than a number can say.
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  REQUIRE_FALSE(rig.states.db()->add_counts(
      {mail_to("odd.example", kNow, kMost), mail_to("odd.example", kNow - 3'600, kMost)}, {kNow, 1},
      kNow));
  rig.begin();
  rig.report("odd.example");
  rig.report("partner.example");
  rig.report("odd.example");
  CHECK(rig.wait_for([&] { return rig.has_probe("partner.example"); }));
  CHECK(rig.wait_for([&] { return rig.keeper.dropped() == 1; }));
  CHECK_FALSE(rig.has_probe("odd.example"));
}
