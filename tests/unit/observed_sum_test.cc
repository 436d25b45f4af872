#include "src/app/observed_sum.h"

#include "tests/unit/catch.h"

using engine::Foreseen;
using model::Level;
using model::Outcome;
using model::Security;

namespace {

model::Asked asked(std::optional<Level> level, model::Fallback fallback = model::Fallback::Never) {
  return {"peer.example", "some", level, fallback};
}

store::ObservedCount counted(model::Source source, Outcome outcome, std::int64_t count,
                             Level level = Level::Encrypt,
                             std::string destination = "peer.example") {
  store::ObservedCount one;
  one.seen.destination = std::move(destination);
  one.seen.source = source;
  one.seen.outcome = outcome;
  one.seen.count = count;
  one.seen.is_trusted = source == model::Source::Outcome;
  one.asked = asked(level);
  return one;
}

const Outcome kNobodyKnows{Security::Unknown, {}};
const Outcome kInTls{Security::Encrypted, {}};
const Outcome kInClear{Security::Clear, {}};

}  // namespace

TEST_CASE("observed: a delivery that the map and the log both saw is counted once") {
  app::ctl::ObservedSum sum;
  sum.add(counted(model::Source::Outcome, kNobodyKnows, 5));
  sum.add(counted(model::Source::Maillog, kInTls, 3));
  sum.add(counted(model::Source::Maillog, kInClear, 2));
  sum.add(counted(model::Source::Outcome, kNobodyKnows, 7, Level::Encrypt, "quiet.example"));
  const auto lines = sum.finish();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].source == model::Source::Maillog);
  CHECK(lines[0].seen.deliveries == 5);
  CHECK(lines[0].seen.untrusted == 5);
  CHECK(lines[0].seen.count(Foreseen::Passed) == 3);
  CHECK(lines[0].seen.count(Foreseen::Waited) == 2);
  CHECK(lines[1].source == model::Source::Outcome);
  CHECK(lines[1].seen.count(Foreseen::Unknown) == 7);
}

TEST_CASE("observed: levels of one row make one line") {
  app::ctl::ObservedSum sum;
  sum.add(counted(model::Source::Outcome, kNobodyKnows, 1, Level::May));
  sum.add(counted(model::Source::Outcome, kNobodyKnows, 1, Level::Encrypt));
  const auto lines = sum.finish();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].levels == std::vector<std::string>{"may", "encrypt"});
  CHECK(lines[0].seen.count(Foreseen::Passed) == 1);
}
