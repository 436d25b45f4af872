// What doctor says of our own network, by the checks that the daemon made.
#include "src/app/doctor_checks.h"
#include "tests/unit/catch.h"

using app::doctor::Finding;

TEST_CASE("doctor: a network that strips STARTTLS is an error, with what to look at") {
  app::doctor::OurSide ours;
  ours.network = {9, "5 of 9 unrelated hosts"};
  app::doctor::Findings findings;
  app::doctor::check_network(ours, findings);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].state == Finding::State::Error);
  CHECK(findings[0].text == "5 of 9 unrelated hosts");
  CHECK(findings[0].looked_at == "STARTTLS of 9 hosts checked lately");
  CHECK(findings[0].fixes.size() == 1);
}

TEST_CASE("doctor: a network that was checked is fine, one that was not is not mentioned") {
  app::doctor::OurSide ours;
  app::doctor::Findings findings;
  app::doctor::check_network(ours, findings);
  CHECK(findings.empty());
  ours.network.hosts = 1;
  app::doctor::check_network(ours, findings);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].state == Finding::State::Ok);
}
