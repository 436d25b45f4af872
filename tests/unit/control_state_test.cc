// What the control socket says of states.
#include "src/app/control_state.h"

#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"
#include "tests/unit/quiet_outlet.h"

namespace {

struct Desk final : app::ControlDesk {
  Report report() override { return {}; }
  std::vector<std::string> troubles(const Report& /*report*/) override { return {}; }
  jobs::Publisher::Accepted accept() override { return {}; }
  app::StateKeeper& keeper() override { return states; }
  app::ProbeKeeper& probes() override { return checks; }
  const std::string& overview() override { return path; }
  Traced trace(const std::string& /*destination*/, std::uint64_t /*after*/) override {
    return std::nullopt;
  }

  test::Folder folder;
  std::string path = folder.path("state.db");
  net::Loop loop;
  base::SystemClock clock;
  test::QuietOutlet quiet;
  app::StateKeeper states{loop, clock, quiet};
  app::ProbeKeeper checks{loop,
                          clock,
                          states,
                          [] { return nullptr; },
                          [](wire::ToParent, std::string_view) { return true; },
                          [](wire::StoreToAnswer, std::string_view) { return true; }};
};

}  // namespace

TEST_CASE("control: of more states than are shown, those out of the ordinary are not left out") {
  Desk desk;
  desk.states.open(desk.path);
  REQUIRE(desk.states.db() != nullptr);
  std::vector<store::StateChange> changes(10'003);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    changes[i].id = std::to_string(i);
    changes[i].destination = "h" + std::to_string(i) + ".example";
    changes[i].state.emplace().version = 1;
  }
  changes[0].destination = "z0.example";
  changes[0].state->phase = model::Phase::Downgraded;
  changes[1].destination = "z1.example";
  changes[1].state->failures.emplace_back();
  changes[2].destination = "z2.example";
  changes[2].state->has_vanished = true;
  REQUIRE_FALSE(desk.states.db()->commit(changes));
  const auto answer = app::answer_state_verb(desk, "state", nlohmann::json::object());
  REQUIRE(answer);
  const auto& states = answer->at("states");
  REQUIRE(states.size() == 10'000);
  CHECK(states.at(0).at("destination") == "z0.example");
  CHECK(states.at(1).at("destination") == "z1.example");
  CHECK(states.at(2).at("destination") == "z2.example");
  CHECK(states.at(3).at("destination") == "h10.example");
  CHECK(answer->at("left_out") == 3);
}
