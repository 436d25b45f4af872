// Which networks hold an address, compared with a walk over all of them.
#include "src/engine/network_index.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/unit/catch.h"

using model::AddressBytes;
using model::Network;
using NetworkIndex = engine::NetworkIndex<std::size_t>;

namespace {

Network network(std::string_view text) {
  const auto parsed = model::parse_network(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

AddressBytes address(std::string_view text) {
  const auto parsed = model::parse_address(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

// Each network stands for how many came before it.
std::size_t add(NetworkIndex& index, const Network& network) {
  const auto before = index.size();
  auto& number = index[network];
  if (index.size() > before) number = before;
  return number;
}

// All that hold the address, in the order of the walk.
std::vector<std::size_t> all_of(const NetworkIndex& index, const AddressBytes& of) {
  std::vector<std::size_t> found;
  CHECK_FALSE(index.walk(of, [&](std::size_t number) {
    found.push_back(number);
    return false;
  }));
  return found;
}

bool holds(const Network& network, const AddressBytes& address) {
  for (unsigned bit = 0; bit < network.prefix; ++bit) {
    const auto mask = 0x80U >> (bit % 8);
    if ((network.address.at(bit / 8) & mask) != (address.at(bit / 8) & mask)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("what a network stands for is kept, and the longest prefix is visited first") {
  NetworkIndex index;
  CHECK(add(index, network("10.0.0.0/8")) == 0);
  CHECK(add(index, network("10.1.0.0/16")) == 1);
  CHECK(add(index, network("10.1.2.3")) == 2);
  CHECK(add(index, network("0.0.0.0/0")) == 3);
  CHECK(add(index, network("10.1.0.0/16")) == 1);
  CHECK(index.size() == 4);
  CHECK(all_of(index, address("10.1.2.3")) == std::vector<std::size_t>{2, 1, 0, 3});
  CHECK(all_of(index, address("10.1.2.4")) == std::vector<std::size_t>{1, 0, 3});
  CHECK(all_of(index, address("10.2.0.1")) == std::vector<std::size_t>{0, 3});
  CHECK(all_of(index, address("192.0.2.1")) == std::vector<std::size_t>{3});
  CHECK(all_of(index, address("2001:db8::1")).empty());
}

TEST_CASE("a visit that says true ends the walk") {
  NetworkIndex index;
  add(index, network("10.0.0.0/8"));
  add(index, network("10.1.0.0/16"));
  std::vector<std::size_t> found;
  CHECK(index.walk(address("10.1.2.3"), [&](std::size_t number) {
    found.push_back(number);
    return true;
  }));
  CHECK(found == std::vector<std::size_t>{1});
}

TEST_CASE("::/0 means IPv6, and an IPv4 address shown as a mapped one is an IPv4 address") {
  NetworkIndex index;
  add(index, network("::/0"));
  add(index, network("192.0.2.0/24"));
  CHECK(all_of(index, address("192.0.2.1")) == std::vector<std::size_t>{1});
  CHECK(all_of(index, address("::ffff:192.0.2.1")) == std::vector<std::size_t>{1});
  CHECK(all_of(index, address("2001:db8::1")) == std::vector<std::size_t>{0});
  CHECK(all_of(NetworkIndex(), address("192.0.2.1")).empty());
}

TEST_CASE("thousands of networks of every size are found as a walk over all finds them") {
  std::mt19937_64 random(20261123);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  // Few different bits, so that networks lie within each other.
  const auto some_address = [&random](bool is_ipv4) {
    AddressBytes made{};
    for (auto& byte : made) byte = random() % 3 == 0 ? 0x81 : 0;
    if (is_ipv4) {
      std::fill_n(made.begin(), 10, std::uint8_t{0});
      made[10] = made[11] = 0xff;
    }
    return made;
  };
  NetworkIndex index;
  std::map<std::size_t, Network> by_number;
  for (int i = 0; i < 3000; ++i) {
    const bool is_ipv4 = i % 2 == 0;
    const auto shortest = is_ipv4 ? model::kIpv4Bits : 0;
    Network made{some_address(is_ipv4),
                 shortest + static_cast<unsigned>(random() % (129 - shortest))};
    for (unsigned bit = made.prefix; bit < 128; ++bit) {
      auto& byte = made.address.at(bit / 8);
      byte = static_cast<std::uint8_t>(byte & ~(0x80U >> (bit % 8)));
    }
    const auto [at, is_new] = by_number.emplace(add(index, made), made);
    CHECK(at->second == made);
    CHECK(index.size() == by_number.size());
  }
  for (int i = 0; i < 2000; ++i) {
    const auto asked = some_address(i % 2 == 0);
    std::vector<std::size_t> wanted;
    for (const auto& [number, each] : by_number) {
      const bool is_same_family = (each.prefix >= model::kIpv4Bits &&
                                   model::is_ipv4(each.address)) == model::is_ipv4(asked);
      if (is_same_family && holds(each, asked)) wanted.push_back(number);
    }
    std::ranges::sort(wanted,
                      [&](auto a, auto b) { return by_number[a].prefix > by_number[b].prefix; });
    CHECK(all_of(index, asked) == wanted);
  }
}
