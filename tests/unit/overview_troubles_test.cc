// What is not well, as status and the page tell it.
#include "src/app/overview_gatherer.h"
#include "tests/unit/catch.h"

namespace {

// All is well.
struct Service {
  Service() {
    status.state = jobs::Publisher::State::Live;
    status.in_force.emplace();
    report.publisher = &status;
    report.answer.emplace();
  }
  [[nodiscard]] std::vector<std::string> troubles(std::string_view mode = "enforce") const {
    return app::list_troubles(report, roles, mode);
  }
  [[nodiscard]] std::string only_trouble(std::string_view mode = "enforce") const {
    const auto found = troubles(mode);
    REQUIRE(found.size() == 1);
    return found.front();
  }

  jobs::Publisher::Status status;
  app::ControlDesk::Report report;
  std::vector<wire::RoleRecord> roles{{"answer", 7, 0}, {"store", 8, 3}};
};

}  // namespace

TEST_CASE("troubles: none where all is well") {
  CHECK(Service().troubles().empty());
}

TEST_CASE("troubles: no policy means waiting mail, or none of our effect where we only observe") {
  Service service;
  service.status.in_force.reset();
  CHECK(service.only_trouble() ==
        "No policy is in force: every look-up is answered TEMP, and mail waits.");
  CHECK_THAT(service.only_trouble("observe"),
             Catch::Matchers::ContainsSubstring("NOTFOUND (mode observe)"));
}

TEST_CASE("troubles: a freeze, and a mail log that can't be read") {
  Service service;
  service.report.answer->frozen = 1;
  CHECK_THAT(service.only_trouble(), Catch::Matchers::StartsWith("A freeze is in force"));
  service.report.answer->frozen = 0;
  service.report.answer->ingest.is_log_missing = 1;
  CHECK_THAT(service.only_trouble(),
             Catch::Matchers::StartsWith("The mail log (maillog) can't be read"));
}

TEST_CASE("troubles: a role that does not run") {
  Service service;
  service.roles.push_back({"net", 0, 5});
  CHECK_THAT(service.only_trouble(), Catch::Matchers::StartsWith("Role net does not run"));
}

TEST_CASE(
    "troubles: what the database has, the gravest first, and nothing that drives a terminal") {
  Service service;
  service.status.state = jobs::Publisher::State::Trouble;
  service.status.text = "it is \x1b[31mdamaged";
  service.report.alarms = {"the disk is full"};
  service.status.faults = {{"outbound", "a.example", "no match"}};
  service.status.fault_count = 3;
  const auto found = service.troubles();
  REQUIRE(found.size() == 4);
  CHECK_THAT(found[0], Catch::Matchers::StartsWith("policy.db can't be used: it is "));
  CHECK(found[0].find('\x1b') == std::string::npos);
  CHECK(found[1] == "the disk is full");
  CHECK(found[2] == "outbound a.example: no match. Its mail waits until the row is mended.");
  CHECK(found[3] == "2 more rows are faulty; tlspolicyctl explain says why of one.");
}
