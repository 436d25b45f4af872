// Hosts and addresses that several destinations share.
#include "src/engine/probe_schedule.h"
#include "tests/unit/catch.h"
#include "tests/unit/probe_schedule_rig.h"

namespace {

using engine::ProbeEnding;
using engine::ProbeSchedule;
using engine::ProbeTarget;
using std::chrono::seconds;
using test::kDay;
using test::kStart;
using test::target;
using test::World;

const std::vector<ProbeTarget> kOne{target("mx.example", "192.88.98.1")};

}  // namespace

TEST_CASE("Destinations that share a host share its probe") {
  World world;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "d" + std::to_string(i) + ".example";
    world.routes[name] = kOne;
    world.schedule.watch(name, std::nullopt, kStart);
  }
  world.run(kDay);
  CHECK(world.checked.size() >= 500);
  CHECK(world.probes["mx.example"] <= 4);
  // Another name on the same address may show another certificate.
  world.routes["other.example"] = {target("mx.other.example", "192.88.98.1")};
  world.schedule.watch("other.example", std::nullopt, world.now);
  world.run(seconds{3600});
  CHECK(world.probes["mx.other.example"] == 1);
}

TEST_CASE("Who gives up as a host is crowded is named, watched still or not") {
  ProbeSchedule schedule({}, {}, 1);
  const std::vector<std::string> names{"a.example", "b.example", "c.example",
                                       "d.example", "e.example", "f.example"};
  for (const auto& name : names) schedule.watch(name, std::nullopt, kStart);
  const auto now = kStart + seconds{3600};
  REQUIRE(schedule.take_steps(now).routes.size() == names.size());
  schedule.unwatch("f.example");
  for (const auto& name : names) {
    const std::vector<ProbeTarget> route{target("mx." + name, "9.9.9.9")};
    schedule.take_route(name, route, ProbeEnding::Answered, now);
  }
  CHECK(schedule.take_steps(now).put_back == std::vector<std::string>{"e.example", "f.example"});
  CHECK(schedule.in_hand() == 4);
  CHECK(schedule.take_steps(now).put_back.empty());
}

TEST_CASE("That a host put us off is taken for another's answer for a short time alone") {
  World world;
  world.ending = ProbeEnding::PutOff;
  world.routes["a.example"] = world.routes["b.example"] = kOne;
  world.schedule.watch("a.example", kStart - kDay, kStart);
  world.run(seconds{0});
  CHECK(world.probes["mx.example"] == 1);
  world.schedule.watch("b.example", kStart - kDay, world.now);
  world.run(seconds{0});
  CHECK(world.probes["mx.example"] == 1);
  CHECK(world.checked.back().is_put_off);
  world.ending = ProbeEnding::Answered;
  world.run(seconds{1800});
  CHECK(world.probes["mx.example"] == 2);
  CHECK_FALSE(world.checked.back().is_put_off);
}

TEST_CASE("A destination whose host's address is crowded has its turn again after the gap") {
  World world;
  for (int i = 0; i < 6; ++i) {
    const auto name = "d" + std::to_string(i) + ".example";
    world.routes[name] = {target("mx" + std::to_string(i), "192.88.98.1")};
    world.schedule.watch(name, kStart - kDay, kStart);
  }
  const auto steps = world.schedule.take_steps(kStart);
  REQUIRE(steps.routes.size() == 6);
  CHECK(world.schedule.in_hand() == 6);
  const auto last = steps.routes.back();
  world.schedule.unwatch(last);
  for (const auto& name : steps.routes) {
    world.schedule.take_route(name, world.routes[name], ProbeEnding::Answered, kStart);
  }
  // One is forgotten, as it was no longer watched, and one waits for the gap.
  CHECK(world.schedule.watched() == 5);
  CHECK(world.schedule.in_hand() == 4);
  CHECK(world.schedule.next_due() == kStart + seconds{600});
  for (int i = 0; i < 4; ++i) {
    for (const auto& each : world.schedule.take_steps(kStart).probes) {
      world.schedule.take_result(each, ProbeEnding::Answered, kStart);
    }
  }
  CHECK(world.schedule.in_hand() == 0);
  world.run(seconds{600});
  CHECK(world.route_times.size() == 1);
}

TEST_CASE("Hosts that answered are left alone when one that put us off is asked again") {
  ProbeSchedule schedule({}, {}, 1);
  const std::vector<ProbeTarget> both{target("mx1.example", "192.88.98.1"),
                                      target("mx2.example", "192.88.98.2")};
  schedule.watch("a.example", kStart, kStart);
  schedule.set_downgraded("a.example", true, kStart);
  auto now = schedule.next_due().value();
  REQUIRE(schedule.take_steps(now).routes.size() == 1);
  schedule.take_route("a.example", both, ProbeEnding::Answered, now);
  REQUIRE(schedule.take_steps(now).probes.size() == 2);
  schedule.take_result(both[0], ProbeEnding::Answered, now);
  schedule.take_result(both[1], ProbeEnding::PutOff, now);
  REQUIRE(schedule.next_due() == now + seconds{900});
  now += seconds{900};
  REQUIRE(schedule.take_steps(now).routes.size() == 1);
  schedule.take_route("a.example", both, ProbeEnding::Answered, now);
  CHECK(schedule.take_steps(now).probes == std::vector<ProbeTarget>{both[1]});
}
