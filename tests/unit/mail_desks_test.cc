// What role `answer` writes down of incoming mail while there is nobody to write it.
#include "src/app/mail_desks.h"

#include <string>
#include <vector>

#include "src/wire/inbound_record.h"
#include "tests/unit/built_image.h"

namespace {

struct StillClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override { return tests::kBuilt; }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

// Mail of a.example must come by TLS.
std::unique_ptr<image::Image> make_image() {
  image::Writer writer;
  model::InboundRule rule;
  rule.id = 7;
  rule.sender = "a.example";
  REQUIRE(writer.add_rule(rule).ok());
  return tests::mapped(tests::finish(writer));
}

}  // namespace

TEST_CASE("mail desks: decisions wait while store is away, and are told once") {
  const StillClock clock;
  jobs::Decider decider(clock);
  bool is_connected = false;
  std::vector<std::string> clients;
  app::MailDesks desks(
      clock, decider, [] { return tests::kBuilt; },
      [&](wire::AnswerToStore type, std::string_view payload) {
        if (!is_connected || type != wire::AnswerToStore::Inbound) return is_connected;
        while (const auto one = wire::take_inbound_decision(payload)) {
          clients.push_back(one->client);
        }
        return true;
      });
  const auto image = make_image();
  desks.install(*image);
  const auto hand_in = [&desks](std::string_view address) {
    model::MailFacts facts;
    facts.has_sender = true;
    facts.sender = "u@a.example";
    facts.client_address = address;
    facts.instance = address;
    CHECK(desks.oracle().ruling_for(facts).action == model::Action::Reject);
    desks.flush();
  };
  hand_in("192.0.2.1");
  hand_in("192.0.2.2");
  CHECK(clients.empty());
  is_connected = true;
  desks.flush();
  hand_in("192.0.2.3");
  CHECK(clients == std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"});
}
