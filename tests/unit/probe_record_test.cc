// The record of a check on its way from `net` to `store`.
#include "src/wire/probe_record.h"

#include "tests/unit/catch.h"
#include "tests/unit/probe_samples.h"

namespace {

std::string bytes_of(const model::ProbeRecord& record) {
  std::string bytes;
  wire::append_record(bytes, record);
  return bytes;
}

}  // namespace

TEST_CASE("a record of a check comes back from its bytes, and from no shorter ones") {
  auto record = test::good_record("partner.example", 5);
  record.peers.push_back(test::plain_peer("mx2.partner.example"));
  record.peers.push_back(test::silent_peer("mx3.partner.example"));
  record.fault = model::RouteFault::Timeout;
  record.trouble = "the resolver is silent";
  const auto bytes = bytes_of(record);
  const auto followed = bytes + "behind";
  std::string_view rest = followed;
  CHECK(wire::take_probe_record(rest) == record);
  CHECK(rest == "behind");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(wire::take_probe_record(part).has_value());
    CHECK(part.size() == size);
  }
}

TEST_CASE("the largest record fits a message, without its least preferred peers") {
  auto peer = test::good_peer(std::string(255, 'h'), std::string(45, 'a'));
  peer.trouble = peer.cipher = peer.issuer = peer.pin = peer.fingerprint = std::string(400, 'x');
  peer.names = std::string(model::kMostRecordNames, 'n');
  auto record = test::record_of(std::string(255, 'd'), 5, {100, peer});
  record.hosts.assign(100, std::string(255, 'h'));
  const auto bytes = bytes_of(record);
  CHECK(bytes.size() < 60'000);
  std::string_view rest = bytes;
  const auto again = wire::take_probe_record(rest);
  REQUIRE(again.has_value());
  CHECK(again->hosts.size() == model::kMostRecordHosts);
  CHECK(again->peers.size() > 10);
  CHECK(again->peers.front().issuer == std::string(model::kLongestRecordWord, 'x'));
}

TEST_CASE("names that are too long for a record are none rather than others") {
  auto record = test::good_record("partner.example", 5);
  record.peers.front().names = std::string(model::kMostRecordNames + 1, 'n');
  const auto bytes = bytes_of(record);
  std::string_view rest = bytes;
  const auto again = wire::take_probe_record(rest);
  REQUIRE(again.has_value());
  CHECK(again->peers.front().names.empty());
  CHECK(again->peers.front().has_more_names);
}

TEST_CASE("a record that breaks a bound is none") {
  const std::string name = "partner.example";
  const auto good = bytes_of(test::good_record(name, 5));
  // The kind of the route, after the destination and the time.
  auto bytes = good;
  bytes[2 + name.size() + 8] = '\x7f';
  // A destination of 256 bytes.
  auto longer = std::string(2, '\0') + std::string(256, 'd') + good.substr(2 + name.size());
  longer[1] = 1;
  for (const auto& wrong : {bytes, longer}) {
    std::string_view rest = wrong;
    CHECK_FALSE(wire::take_probe_record(rest).has_value());
    CHECK(rest.size() == wrong.size());
  }
}
