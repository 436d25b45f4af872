#include "src/jobs/inbound_tallies.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "tests/unit/catch.h"

using jobs::InboundTallies;

namespace {

InboundTallies::Judged judged(std::string_view domain) {
  InboundTallies::Judged made;
  made.hour = 3600;
  made.rule = 7;
  made.network = *model::parse_network("192.0.2.0/24");
  made.sender_domain = domain;
  return made;
}

bool count(InboundTallies& tallies, const InboundTallies::Judged& judged) {
  return tallies.count(tallies.look_ahead(judged.network, judged.sender_domain), judged);
}

}  // namespace

TEST_CASE("tallies: what was judged alike is counted together, with all its texts") {
  InboundTallies tallies(10);
  auto failed = judged("a.example");
  failed.required = "TLS";
  failed.got = "cleartext";
  failed.action = "observe";
  CHECK(count(tallies, failed));
  CHECK(count(tallies, judged("a.example")));
  CHECK(count(tallies, failed));
  const auto taken = tallies.take();
  REQUIRE(taken.size() == 2);
  const auto& [tally, count] = taken[0];
  CHECK(count == 2);
  CHECK(tally.hour == 3600);
  CHECK(tally.rule == 7);
  CHECK(tally.network == "192.0.2.0/24");
  CHECK(tally.sender_domain == "a.example");
  CHECK(tally.required == "TLS");
  CHECK(tally.got == "cleartext");
  CHECK(tally.action == "observe");
  CHECK(taken[1].count == 1);
  CHECK(taken[1].tally.required.empty());
}

TEST_CASE("tallies: whatever differs is counted apart") {
  InboundTallies tallies(100);
  const auto base = judged("ab.example");
  auto hour = base, rule = base, network = base, prefix = base;
  hour.hour = 7200;
  rule.rule = 8;
  network.network = *model::parse_network("192.0.3.0/24");
  prefix.network.prefix = 128;
  auto required = base, got = base, action = base;
  required.required = got.got = action.action = "x";
  // The same letters, cut elsewhere.
  auto shifted = judged("ab.exampl");
  shifted.required = "e";
  for (const auto& each :
       {base, hour, rule, network, prefix, required, got, action, shifted, judged("b.example")}) {
    CHECK(count(tallies, each));
  }
  const auto taken = tallies.take();
  CHECK(taken.size() == 10);
  for (const auto& each : taken) CHECK(each.count == 1);
}

TEST_CASE("tallies: thousands are told apart, and counting begins anew when they are taken") {
  InboundTallies tallies(5000);
  std::map<std::string, std::int64_t> wanted;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; i += round + 1) {
      const auto domain = fmt::format("d{}.example", i);
      CHECK(count(tallies, judged(domain)));
      ++wanted[domain];
    }
  }
  CHECK_FALSE(count(tallies, judged("one.more.example")));
  CHECK(count(tallies, judged("d0.example")));
  ++wanted["d0.example"];
  std::map<std::string, std::int64_t> found;
  for (const auto& [tally, count] : tallies.take()) found[tally.sender_domain] = count;
  CHECK(found == wanted);
  CHECK(tallies.take().empty());
  CHECK(count(tallies, judged("one.more.example")));
  CHECK(tallies.take().size() == 1);
}

TEST_CASE("tallies: a client without an address has no network, and long names are cut") {
  InboundTallies tallies(10);
  const std::string longer(400, 'a');
  auto nameless = judged(longer);
  nameless.network = {};
  CHECK(count(tallies, nameless));
  const auto taken = tallies.take();
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].tally.network.empty());
  CHECK(taken[0].tally.sender_domain == std::string(InboundTallies::kLongestText, 'a'));
}
