#include "src/model/reserved_address.h"

#include "tests/unit/catch.h"

namespace {

std::string name_of(std::string_view address) {
  const auto bytes = model::parse_address(address);
  REQUIRE(bytes.has_value());
  return std::string(model::reserved_as(*bytes).value_or("public"));
}

bool may_probe(std::string_view address, std::string_view allowed) {
  const auto networks = model::parse_networks(allowed);
  REQUIRE(networks.ok());
  return model::may_probe(model::parse_address(address).value(), *networks);
}

}  // namespace

TEST_CASE("Each reserved network from its first to its last address, and not the neighbours") {
  struct Range {
    std::string before, first, last, after, name;
  };
  const std::vector<Range> ranges{
      {"", "0.0.0.0", "0.255.255.255", "1.0.0.0", "this network"},
      {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "private use"},
      {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0",
       "shared address space of providers"},
      {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "loopback"},
      {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0", "link-local"},
      {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "private use"},
      {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0", "protocol assignments"},
      {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0", "documentation"},
      {"192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0", "AS112 sink"},
      {"192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0", "multicast tunnelling"},
      {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0", "6to4 relay"},
      {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0", "private use"},
      {"192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0", "AS112 sink"},
      {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0", "benchmarking"},
      {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0", "documentation"},
      {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0", "documentation"},
      {"223.255.255.255", "224.0.0.0", "239.255.255.255", "", "multicast"},
      {"", "240.0.0.0", "255.255.255.255", "", "reserved"},
      {"", "2001::", "2001:1ff:ffff:ffff::", "2001:200::", "protocol assignments"},
      {"2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::1", "2001:db9::", "documentation"},
      {"2620:4f:7fff::", "2620:4f:8000::", "2620:4f:8000:ffff::", "2620:4f:8001::", "AS112 sink"},
      {"3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::", "documentation"},
  };
  for (const auto& [before, first, last, after, name] : ranges) {
    INFO(first);
    CHECK(name_of(first) == name);
    CHECK(name_of(last) == name);
    if (!before.empty()) CHECK(name_of(before) == "public");
    if (!after.empty()) CHECK(name_of(after) == "public");
  }
}

TEST_CASE("What is not global unicast is reserved, by name where it has one") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"::", "unspecified"},           {"::1", "loopback"},
      {"::192.0.2.1", "reserved"},  // IPv4-compatible
      {"64:ff9b:1::1", "local NAT64"}, {"100::1", "discard"},
      {"100:0:0:1::", "reserved"},     {"1fff::1", "reserved"},
      {"2000::1", "public"},           {"2a00:1450:4001::1", "public"},
      {"3fff:1000::1", "public"},      {"4000::1", "reserved"},
      {"5f00::1", "segment routing"},  {"fc00::1", "private use"},
      {"fdff::1", "private use"},      {"fe80::1", "link-local"},
      {"fec0::1", "private use"},      {"ff02::1", "multicast"},
      {"8.8.8.8", "public"},
  };
  for (const auto& [address, name] : names) {
    INFO(address);
    CHECK(name_of(address) == name);
  }
}

TEST_CASE("An address that carries an IPv4 address inside is what that one is") {
  CHECK(name_of("::ffff:10.0.0.1") == "private use");
  CHECK(name_of("::ffff:8.8.8.8") == "public");
  CHECK(name_of("64:ff9b::127.0.0.1") == "loopback");
  CHECK(name_of("64:ff9b::8.8.8.8") == "public");
  CHECK(name_of("2002:7f00:1::") == "loopback");
  CHECK(name_of("2002:c0a8:101::1") == "private use");
  CHECK(name_of("2002:808:808::1") == "public");
}

TEST_CASE("Networks of probe_allow are exceptions") {
  CHECK_FALSE(may_probe("10.1.2.3", ""));
  CHECK(may_probe("8.8.8.8", ""));
  CHECK(may_probe("10.1.2.3", "10.0.0.0/8"));
  CHECK(may_probe("10.1.2.3", "192.168.0.0/16, 10.1.2.0/23"));
  CHECK_FALSE(may_probe("10.1.4.1", "10.1.2.0/23"));
  CHECK(may_probe("fd00::1", "fd00::/8 10.1.2.3"));
  CHECK(may_probe("10.1.2.3", "fd00::/8 10.1.2.3"));
  CHECK_FALSE(may_probe("10.1.2.4", "fd00::/8 10.1.2.3"));
  // 6to4 of an allowed network is another way to it, which nobody allowed.
  CHECK_FALSE(may_probe("2002:a01:203::1", "10.0.0.0/8"));
  CHECK(may_probe("2002:a01:203::1", "2002::/16"));
  CHECK(may_probe("127.0.0.1", "0.0.0.0/0"));
  CHECK_FALSE(may_probe("::1", "0.0.0.0/0"));
  CHECK(may_probe("::1", "::/0"));
}

TEST_CASE("A text that is no list of networks is refused by name") {
  for (const auto* bad : {"10.0.0.1/8", "10.0.0.0/33", "localhost", "10.0.0.0/8;fd00::/8", "/8"}) {
    const auto networks = model::parse_networks(std::string("192.168.0.0/16, ") + bad);
    INFO(bad);
    REQUIRE_FALSE(networks.ok());
    CHECK_THAT(networks.error(), Catch::Matchers::ContainsSubstring(std::string("\"") + bad));
  }
}
