#include "src/model/reserved_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace model {
namespace {

struct Reserved {
  std::array<std::uint8_t, 16> address;
  unsigned prefix;
  std::string_view name;
};

constexpr Reserved v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, unsigned prefix,
                      std::string_view name) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}, kIpv4Bits + prefix, name};
}

constexpr Reserved v6(std::uint16_t a, std::uint16_t b, std::uint16_t c, unsigned prefix,
                      std::string_view name) {
  const auto high = [](std::uint16_t word) { return static_cast<std::uint8_t>(word >> 8U); };
  const auto low = [](std::uint16_t word) { return static_cast<std::uint8_t>(word & 0xffU); };
  return {{high(a), low(a), high(b), low(b), high(c), low(c), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
          prefix,
          name};
}

// iana-ipv4-special-registry, and RFC 5771 for multicast.
constexpr std::array kReservedV4{
    v4(0, 0, 0, 8, "this network"),
    v4(10, 0, 0, 8, "private use"),
    v4(100, 64, 0, 10, "shared address space of providers"),
    v4(127, 0, 0, 8, "loopback"),
    v4(169, 254, 0, 16, "link-local"),
    v4(172, 16, 0, 12, "private use"),
    v4(192, 0, 0, 24, "protocol assignments"),
    v4(192, 0, 2, 24, "documentation"),
    v4(192, 31, 196, 24, "AS112 sink"),
    v4(192, 52, 193, 24, "multicast tunnelling"),
    v4(192, 88, 99, 24, "6to4 relay"),
    v4(192, 168, 0, 16, "private use"),
    v4(192, 175, 48, 24, "AS112 sink"),
    v4(198, 18, 0, 15, "benchmarking"),
    v4(198, 51, 100, 24, "documentation"),
    v4(203, 0, 113, 24, "documentation"),
    v4(224, 0, 0, 4, "multicast"),
    v4(240, 0, 0, 4, "reserved"),
};

// iana-ipv6-special-registry, of what is global unicast (RFC 4291 2.4).
constexpr Network kGlobalUnicast{{0x20}, 3};
constexpr std::array kReservedV6{
    v6(0x2001, 0, 0, 23, "protocol assignments"),
    v6(0x2001, 0xdb8, 0, 32, "documentation"),
    v6(0x2620, 0x4f, 0x8000, 48, "AS112 sink"),
    v6(0x3fff, 0, 0, 20, "documentation"),
};

// What is not global unicast but has a name.
constexpr std::array kNamedV6{
    Reserved{{}, 128, "unspecified"},
    Reserved{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},
    v6(0x64, 0xff9b, 1, 48, "local NAT64"),
    v6(0x100, 0, 0, 64, "discard"),
    v6(0x5f00, 0, 0, 16, "segment routing"),
    v6(0xfc00, 0, 0, 7, "private use"),
    v6(0xfe80, 0, 0, 10, "link-local"),
    v6(0xfec0, 0, 0, 10, "private use"),
    v6(0xff00, 0, 0, 8, "multicast"),
};

constexpr Network k6to4{{0x20, 0x02}, 16};
constexpr Network kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};

template <std::size_t Size>
std::optional<std::string_view> find_in(const std::array<Reserved, Size>& table,
                                        const AddressBytes& address) {
  for (const auto& each : table) {
    if (is_inside(address, Network{each.address, each.prefix})) return each.name;
  }
  return std::nullopt;
}

// The IPv4 address whose four bytes begin at `at`.
AddressBytes embedded(const AddressBytes& address, std::ptrdiff_t at) {
  AddressBytes inner{};
  inner[10] = inner[11] = 0xff;
  std::copy_n(address.begin() + at, 4, inner.begin() + 12);
  return inner;
}

}  // namespace

bool is_inside(const AddressBytes& address, const Network& network) {
  const std::size_t whole = network.prefix / 8;
  const unsigned rest = network.prefix % 8;
  for (std::size_t at = 0; at < whole; ++at) {
    if (address.at(at) != network.address.at(at)) return false;
  }
  if (rest == 0) return true;
  const unsigned difference = address.at(whole) ^ unsigned { network.address.at(whole) };
  return difference >> (8 - rest) == 0;
}

std::optional<std::string_view> reserved_as(const AddressBytes& address) {
  constexpr std::ptrdiff_t k6to4At = 2;    // RFC 3056 2
  constexpr std::ptrdiff_t kNat64At = 12;  // RFC 6052 2.2
  if (is_ipv4(address)) return find_in(kReservedV4, address);
  if (is_inside(address, kNat64)) return find_in(kReservedV4, embedded(address, kNat64At));
  if (is_inside(address, k6to4)) return find_in(kReservedV4, embedded(address, k6to4At));
  if (is_inside(address, kGlobalUnicast)) return find_in(kReservedV6, address);
  return find_in(kNamedV6, address).value_or("reserved");
}

base::Result<std::vector<Network>> parse_networks(std::string_view text) {
  std::vector<Network> networks;
  for (const auto each : base::split(text, ", \t")) {
    const auto network = parse_network(each);
    if (!network) {
      return base::Error{
          fmt::format("\"{}\" is no network; allowed are 192.0.2.1, 192.0.2.0/24, 2001:db8::1 and "
                      "2001:db8::/32 "
                      "with no bits behind the size",
                      base::printable(each, 100))};
    }
    networks.push_back(*network);
  }
  return networks;
}

bool may_probe(const AddressBytes& address, std::span<const Network> allowed) {
  if (!reserved_as(address)) return true;
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const Network& network) { return is_inside(address, network); });
}

}  // namespace model
