#include "src/engine/probe_schedule.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include "tests/unit/catch.h"
#include "tests/unit/probe_schedule_rig.h"

namespace {

using base::sys_seconds;
using engine::ProbeEnding;
using engine::ProbeEtiquette;
using engine::ProbeSchedule;
using engine::ProbeTarget;
using std::chrono::seconds;
using Steps = ProbeSchedule::Steps;
using test::kDay;
using test::kStart;
using test::target;
using test::World;

const std::vector<ProbeTarget> kOne{target("mx.example", "192.88.98.1")};

// One destination that was checked at the start.
World world_of_one(ProbeEtiquette etiquette = {}) {
  World world(std::move(etiquette));
  world.routes["a.example"] = kOne;
  REQUIRE(world.schedule.watch("a.example", kStart, kStart));
  return world;
}

}  // namespace

TEST_CASE("A destination is checked once a day, not on the dot, and its addresses are named") {
  World world = world_of_one();
  world.run(kDay * 30);
  const auto times = world.times_of("a.example");
  CHECK(times.size() >= 30);
  CHECK(times.size() <= 42);
  std::set<std::int64_t> distances;
  std::int64_t before = 0;
  for (const auto at : times) {
    CHECK(at - before <= 23 * 3600);
    CHECK(at - before >= 17 * 3600);
    distances.insert(at - before);
    before = at;
  }
  CHECK(distances.size() > 20);
  REQUIRE_FALSE(world.checked.empty());
  CHECK(world.checked[0].destination == "a.example");
  CHECK(world.checked[0].targets == kOne);
  CHECK_FALSE(world.checked[0].is_put_off);
}

TEST_CASE("One that nothing is known of is checked within the hour") {
  World world;
  world.routes["a.example"] = kOne;
  CHECK(world.schedule.watch("a.example", std::nullopt, kStart));
  CHECK(world.schedule.watch("a.example", std::nullopt, kStart));
  CHECK(world.schedule.watched() == 1);
  world.run(seconds{3600});
  CHECK(world.times_of("a.example").size() == 1);
}

TEST_CASE("A delivery that shows the same makes the daily check needless") {
  World world = world_of_one();
  for (int hour = 0; hour < 24 * 7; hour += 6) {
    world.schedule.take_delivery("a.example", world.now);
    world.run(seconds{6 * 3600});
  }
  CHECK(world.times_of("a.example").empty());
  world.run(kDay);
  CHECK(world.times_of("a.example").size() == 1);
}

TEST_CASE("A failure that mail saw is looked into retry_after later, by a probe that is newer") {
  World world = world_of_one();
  world.run(seconds{7200});
  world.schedule.take_failure("a.example", world.now, seconds{1800});
  world.schedule.take_failure("a.example", world.now + seconds{60}, seconds{1800});
  world.schedule.take_delivery("a.example", world.now);  // makes it no later
  world.run(seconds{1799});
  CHECK(world.times_of("a.example").empty());
  world.run(seconds{1});
  CHECK(world.times_of("a.example") == std::vector<std::int64_t>{7200 + 1800});
  CHECK(world.probes["mx.example"] == 1);
  // Twice in ten minutes is once.
  world.schedule.take_failure("a.example", world.now, seconds{60});
  world.run(seconds{599});
  CHECK(world.probes["mx.example"] == 1);
  world.run(seconds{1});
  CHECK(world.probes["mx.example"] == 2);
}

TEST_CASE("A failure puts off a daily check that would come too early for a second try") {
  World world = world_of_one();
  const auto due = *world.schedule.next_due();
  world.now = due - seconds{10};
  world.schedule.take_failure("a.example", world.now, seconds{300});
  CHECK(*world.schedule.next_due() == due - seconds{10} + seconds{300});
}

TEST_CASE("The way back from a downgrade is looked for every quarter of an hour") {
  World world = world_of_one();
  world.schedule.set_downgraded("a.example", true, world.now);
  world.run(seconds{3600});
  CHECK(world.times_of("a.example") == std::vector<std::int64_t>{900, 1800, 2700, 3600});
  CHECK(world.probes["mx.example"] == 4);
  world.schedule.set_downgraded("a.example", false, world.now);
  world.run(kDay);
  CHECK(world.times_of("a.example").size() <= 7);
}

TEST_CASE("A check can be asked for, and is not before its time") {
  World world = world_of_one();
  world.schedule.ask_for("a.example", kStart + seconds{5000});
  world.schedule.ask_for("a.example", kStart + kDay * 3);
  world.run(seconds{5000});
  CHECK(world.times_of("a.example") == std::vector<std::int64_t>{5000});
  world.schedule.ask_for("a.example", world.now);
  CHECK(*world.schedule.next_due() == world.now + seconds{600});
}

TEST_CASE("After 4xx, and without a route, it backs off twice as long each time") {
  for (const bool has_route : {true, false}) {
    World world = world_of_one();
    if (!has_route) world.routes.clear();
    world.ending = ProbeEnding::PutOff;
    world.schedule.ask_for("a.example", kStart + seconds{600});
    world.run(seconds{600 + 900 + 1800 + 3600});
    CHECK(world.times_of("a.example") == std::vector<std::int64_t>{600, 1500, 3300, 6900});
    CHECK(world.checked.back().is_put_off);
    // A failure of mail's does not shorten it.
    world.schedule.take_failure("a.example", world.now, seconds{1});
    CHECK(*world.schedule.next_due() == world.now + seconds{7200});
    world.run(kDay * 20);
    auto times = world.times_of("a.example");
    CHECK(times.back() - times[times.size() - 2] == kDay.count());
    world.ending = ProbeEnding::Answered;
    world.routes["a.example"] = kOne;
    world.run(kDay * 2);
    CHECK_FALSE(world.checked.back().is_put_off);
  }
}

TEST_CASE("Private and reserved addresses are refused, but for those that are allowed") {
  const std::vector<ProbeTarget> both{target("mx.example", "10.0.0.1"),
                                      target("mx.example", "192.88.98.1")};
  World world = world_of_one();
  world.routes["a.example"] = both;
  world.run(kDay);
  CHECK(world.refused.at(0) == "a.example mx.example: private use");
  CHECK(world.checked.at(0).targets == std::vector<ProbeTarget>{both[1]});

  World allowing = world_of_one({.allowed = {model::parse_network("10.0.0.0/24").value()}});
  allowing.routes["a.example"] = both;
  allowing.run(kDay);
  CHECK(allowing.refused.empty());
  CHECK(allowing.checked.at(0).targets == both);
}

TEST_CASE("Who is on the opt-out list is left alone") {
  engine::OptOut opt_out{{"a.example", ".b.example", "mx.c.example"},
                         {model::parse_network("192.88.98.7").value()}};
  CHECK_FALSE(opt_out.has("x.a.example"));
  CHECK_FALSE(opt_out.has("b.example"));
  CHECK(opt_out.has("y.x.b.example"));
  World world({}, opt_out);
  world.routes = {{"a.example", kOne},
                  {"x.b.example", kOne},
                  {"c.example", {target("mx.c.example", "192.88.98.1")}},
                  {"d.example", {target("mx.d.example", "192.88.98.7")}},
                  {"e.example", kOne}};
  for (const auto& [name, route] : world.routes) world.schedule.watch(name, std::nullopt, kStart);
  world.run(seconds{3600});
  std::sort(world.refused.begin(), world.refused.end());
  CHECK(world.refused ==
        std::vector<std::string>{"a.example : it is on the opt-out list",
                                 "c.example mx.c.example: it is on the opt-out list",
                                 "d.example mx.d.example: it is on the opt-out list",
                                 "x.b.example : it is on the opt-out list"});
  CHECK(world.probes == std::map<std::string, int>{{"mx.example", 1}});
}

TEST_CASE("What is no longer watched is not checked, also where it is being checked") {
  World world = world_of_one();
  world.schedule.unwatch("a.example");
  world.schedule.unwatch("never.example");
  CHECK(world.schedule.watched() == 0);
  CHECK_FALSE(world.schedule.next_due());

  world.schedule.watch("a.example", kStart - kDay, kStart);
  CHECK(world.schedule.take_steps(kStart).routes.size() == 1);
  world.schedule.unwatch("a.example");
  world.schedule.take_route("a.example", kOne, ProbeEnding::Answered, kStart);
  const auto probes = world.schedule.take_steps(kStart).probes;
  REQUIRE(probes.size() == 1);
  world.schedule.take_result(probes[0], ProbeEnding::Answered, kStart);
  CHECK(world.schedule.watched() == 0);
  CHECK(world.schedule.open_probes() == 0);
}

TEST_CASE("More than may be watched are not") {
  World world({.watched = 2});
  CHECK(world.schedule.watch("a.example", std::nullopt, kStart));
  CHECK(world.schedule.watch("b.example", std::nullopt, kStart));
  CHECK_FALSE(world.schedule.watch("c.example", std::nullopt, kStart));
  world.schedule.unwatch("a.example");
  CHECK(world.schedule.watch("c.example", std::nullopt, kStart));
}

TEST_CASE("Reports of what was never asked for change nothing") {
  World world = world_of_one();
  world.schedule.take_route("a.example", kOne, ProbeEnding::Answered, kStart);
  world.schedule.take_route("never.example", kOne, ProbeEnding::Answered, kStart);
  world.schedule.take_result(kOne[0], ProbeEnding::Answered, kStart);
  world.schedule.take_failure("never.example", kStart, seconds{1});
  world.schedule.take_delivery("never.example", kStart);
  world.schedule.set_downgraded("never.example", true, kStart);
  world.schedule.ask_for("never.example", kStart);
  const auto steps = world.schedule.take_steps(kStart);
  CHECK(steps.routes.empty());
  CHECK(steps.probes.empty());
  CHECK(steps.checked.empty());
}

TEST_CASE("a new list of all ends the watch of those that are not in it") {
  World world;
  world.schedule.watch("a.example", std::nullopt, kStart);
  world.schedule.watch("b.example", std::nullopt, kStart);
  world.schedule.begin_list();
  world.schedule.watch("b.example", std::nullopt, kStart);
  world.schedule.watch("c.example", std::nullopt, kStart);
  world.schedule.end_list();
  CHECK(world.schedule.watched() == 2);
  world.schedule.begin_list();
  world.schedule.end_list();
  CHECK(world.schedule.watched() == 0);
}

TEST_CASE("a list without it does not end a check that was asked for") {
  World world;
  world.schedule.watch("a.example", std::nullopt, kStart);
  world.schedule.ask_for("a.example", kStart + seconds(1));
  world.schedule.begin_list();
  world.schedule.end_list();
  CHECK(world.schedule.take_steps(kStart + seconds(1)).routes ==
        std::vector<std::string>{"a.example"});
  world.schedule.take_route("a.example", {}, engine::ProbeEnding::Answered, kStart + seconds(2));
  CHECK(world.schedule.take_steps(kStart + seconds(2)).checked.size() == 1);
  world.schedule.begin_list();
  world.schedule.end_list();
  CHECK(world.schedule.watched() == 0);
}

TEST_CASE("No more destinations are in hand than the etiquette says") {
  World world({.in_hand = 1});
  world.schedule.watch("a.example", kStart - kDay, kStart);
  world.schedule.watch("b.example", kStart - kDay, kStart);
  const auto first = world.schedule.take_steps(kStart).routes;
  REQUIRE(first.size() == 1);
  CHECK(world.schedule.take_steps(kStart).routes.empty());
  world.schedule.take_route(first[0], {}, ProbeEnding::Answered, kStart);
  CHECK(world.schedule.take_steps(kStart).routes.size() == 1);
}

TEST_CASE("A time of the last check that lies ahead is not believed") {
  World world;
  world.schedule.watch("a.example", kStart + kDay, kStart);
  REQUIRE(world.schedule.next_due());
  CHECK(*world.schedule.next_due() <= kStart + seconds{3600});
}

TEST_CASE("What happens during a check waits for its end, and the earliest wish counts") {
  World world = world_of_one();
  world.schedule.watch("a.example", kStart - kDay, kStart);
  world.run(seconds{3600});
  const auto due = world.schedule.next_due().value();
  REQUIRE(world.schedule.take_steps(due).routes.size() == 1);
  world.schedule.take_delivery("a.example", due + kDay);
  world.schedule.take_failure("a.example", due, seconds{5'000});
  world.schedule.take_failure("a.example", due, seconds{2'000});
  world.schedule.take_failure("a.example", due, seconds{3'000});
  world.schedule.take_route("a.example", {}, ProbeEnding::Answered, due);
  CHECK(world.schedule.next_due() == due + seconds{2'000});
}

TEST_CASE("A delivery of long ago does not bring the daily check forward") {
  World world = world_of_one();
  world.run(seconds{3600});
  const auto due = world.schedule.next_due();
  world.schedule.take_delivery("a.example", kStart - kDay);
  CHECK(world.schedule.next_due() == due);
}

TEST_CASE("Who is being checked when a list ends without him goes with the check") {
  World world = world_of_one();
  world.run(seconds{3600});
  const auto due = world.schedule.next_due().value();
  REQUIRE(world.schedule.take_steps(due).routes.size() == 1);
  world.schedule.begin_list();
  world.schedule.end_list();
  CHECK(world.schedule.watched() == 1);
  world.schedule.take_route("a.example", {}, ProbeEnding::Answered, due);
  CHECK(world.schedule.watched() == 0);
}

TEST_CASE("The way back is not looked for sooner than a host that put us off may be asked") {
  World world = world_of_one();
  world.ending = ProbeEnding::PutOff;
  world.run(seconds{3600});
  world.schedule.set_downgraded("a.example", true, world.now);
  world.run(kDay);
  const auto times = world.times_of("a.example");
  REQUIRE(times.size() > 3);
  for (std::size_t i = 2; i < times.size(); ++i) {
    CHECK(times[i] - times[i - 1] >= times[i - 1] - times[i - 2]);
  }
}

TEST_CASE("A failure during a check has everything probed anew after it") {
  World world = world_of_one();
  world.now = world.schedule.next_due().value();
  REQUIRE(world.schedule.take_steps(world.now).routes.size() == 1);
  world.schedule.take_failure("a.example", world.now, seconds{700});
  world.schedule.take_route("a.example", kOne, ProbeEnding::Answered, world.now);
  world.run(seconds{700});
  CHECK(world.probes["mx.example"] == 2);
}
