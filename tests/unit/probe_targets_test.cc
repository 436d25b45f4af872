#include "src/engine/probe_targets.h"

#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/probe_schedule_rig.h"

using engine::ProbeEnding;
using std::chrono::seconds;
using test::kStart;
using test::target;

TEST_CASE("An address takes four in its queue, and no further one that nobody knows") {
  engine::ProbeTargets targets(20);
  const engine::ProbeTargets::Freshness fresh{kStart, kStart};
  const auto at = [](int host) { return target("mx" + std::to_string(host), "192.88.98.1"); };
  using Joined = engine::ProbeTargets::Joined;
  CHECK_FALSE(targets.is_crowded(at(0), fresh));
  CHECK(targets.join(at(0), fresh, 0) == Joined::Waits);
  CHECK(targets.next() == at(0));
  for (int host = 1; host < 5; ++host) {
    CHECK_FALSE(targets.is_crowded(at(host), fresh));
    CHECK(targets.join(at(host), fresh, 0) == Joined::Waits);
  }
  CHECK(targets.is_crowded(at(5), fresh));
  CHECK_FALSE(targets.is_crowded(at(1), fresh));
  CHECK_FALSE(targets.is_crowded(target("mx9", "192.88.98.2"), fresh));
  CHECK(targets.size() == 5);
  CHECK(targets.take_result(at(1), ProbeEnding::Answered, kStart).empty());
  CHECK_FALSE(targets.ending_of(at(1)));
  CHECK_FALSE(targets.ending_of(at(5)));

  CHECK(targets.take_result(at(0), ProbeEnding::Answered, kStart + seconds{1}).size() == 1);
  CHECK(targets.ending_of(at(0)) == ProbeEnding::Answered);
  CHECK(targets.next() == at(1));
  CHECK(targets.join(at(5), fresh, 0) == Joined::Waits);
  // What is known needs no place; what was known once does.
  CHECK_FALSE(targets.is_crowded(at(0), fresh));
  CHECK(targets.is_crowded(at(0), {kStart + seconds{1}, kStart}));
}

TEST_CASE("A result is kept as long as its age allows, also where an older one is let go") {
  engine::ProbeTargets targets(20);
  const auto host = target("mx.example", "192.88.98.1");
  for (const auto at : {kStart, kStart + seconds{10}}) {
    targets.join(host, {at, at}, 0);
    REQUIRE(targets.next() == host);
    targets.take_result(host, ProbeEnding::Answered, at);
  }
  targets.forget_before(kStart + seconds{10});
  CHECK(targets.ending_of(host) == ProbeEnding::Answered);
  targets.forget_before(kStart + seconds{11});
  CHECK_FALSE(targets.ending_of(host));
}
