#include "src/model/client_match.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace model {
namespace {

constexpr unsigned kBits = 128;
constexpr std::size_t kLongestAddress = 45;

bool has_host_bits(const Network& network) {
  for (unsigned bit = network.prefix; bit < kBits; ++bit) {
    if ((network.address.at(bit / 8) & (0x80U >> (bit % 8))) != 0) return true;
  }
  return false;
}

// A verified host name; '_' is a letter in names of hosts that nobody should have given it to.
bool is_host_name(std::string_view name) {
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '_', 'x');
  return is_domain(plain);
}

// As inet_pton(3) does: four numbers without a sign or a zero before them. Clients with such an
// address are most, and inet_pton wants a copy of the text with a NUL behind it.
std::optional<AddressBytes> parse_ipv4(std::string_view text) {
  AddressBytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 12; i < bytes.size(); ++i) {
    if (i > 12 && (at == end || *at++ != '.')) return std::nullopt;
    const char* const first = at;
    const auto [behind, error] = std::from_chars(first, end, bytes.at(i));
    if (error != std::errc{} || (*first == '0' && behind - first > 1)) return std::nullopt;
    at = behind;
  }
  return at == end ? std::optional(bytes) : std::nullopt;
}

}  // namespace

bool is_ipv4(const AddressBytes& address) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

std::optional<AddressBytes> parse_address(std::string_view text) {
  if (auto ipv4 = parse_ipv4(text)) return ipv4;
  if (text.size() > kLongestAddress || text.find('\0') != text.npos) return std::nullopt;
  std::array<char, kLongestAddress + 1> given{};
  text.copy(given.data(), text.size());
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, given.data(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

namespace {

// An address with a size, whatever stands behind the size.
std::optional<Network> parse_sized(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network{*address, kBits};
  if (slash != text.npos) {
    const auto size = base::parse_number<unsigned>(text.substr(slash + 1));
    const unsigned before = text.find(':') == text.npos ? kIpv4Bits : 0;
    if (!size || *size > kBits - before) return std::nullopt;
    network.prefix = before + *size;
  }
  return network;
}

}  // namespace

std::optional<Network> parse_network_loosely(std::string_view text) {
  auto network = parse_sized(text);
  if (!network) return std::nullopt;
  for (unsigned bit = network->prefix; bit < kBits; ++bit) {
    auto& byte = network->address.at(bit / 8);
    byte = static_cast<std::uint8_t>(byte & ~(0x80U >> (bit % 8)));
  }
  return network;
}

std::optional<Network> parse_network(std::string_view text) {
  auto network = parse_sized(text);
  if (network && has_host_bits(*network)) return std::nullopt;
  return network;
}

std::string to_text(const Network& network) {
  const auto& bytes = network.address;
  const bool is_whole = network.prefix == kBits;
  if (network.prefix >= kIpv4Bits && is_ipv4(bytes)) {
    const auto text = fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
    return is_whole ? text : fmt::format("{}/{}", text, network.prefix - kIpv4Bits);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return is_whole ? text.data() : fmt::format("{}/{}", text.data(), network.prefix);
}

Network client_network_of(const AddressBytes& address) {
  Network network{{}, is_ipv4(address) ? kIpv4Bits + 24 : 48};
  std::copy_n(address.begin(), network.prefix / 8, network.address.begin());
  return network;
}

std::string client_network_of(std::string_view address) {
  const auto bytes = parse_address(address);
  return bytes ? to_text(client_network_of(*bytes)) : std::string();
}

base::Result<ClientMatch> parse_client(std::string_view written) {
  ClientMatch match;
  if (const auto network = parse_network(written)) {
    match.kind = ClientMatch::Kind::Network;
    match.network = *network;
    return match;
  }
  if (const auto slash = written.find('/'); slash != written.npos) {
    if (parse_address(written.substr(0, slash))) {
      return base::Error{fmt::format(
          "client \"{}\" is no network: the size must fit, and the bits behind it be zero",
          base::printable(written, 100))};
    }
  }
  const bool is_suffix = written.starts_with("*.");
  match.kind = is_suffix ? ClientMatch::Kind::Suffix : ClientMatch::Kind::Name;
  match.name = base::to_lower(written.substr(is_suffix ? 2 : 0));
  if (is_host_name(match.name)) return match;
  return base::Error{
      fmt::format("client \"{}\" must be as one of 192.0.2.1, 192.0.2.0/24, 2001:db8::1, "
                  "2001:db8::/32, mx.example.com, *.example.com",
                  base::printable(written, 100))};
}

std::string to_text(const ClientMatch& client) {
  switch (client.kind) {
    case ClientMatch::Kind::Network:
      return to_text(client.network);
    case ClientMatch::Kind::Name:
      return client.name;
    case ClientMatch::Kind::Suffix:
      return "*." + client.name;
  }
  return {};
}

}  // namespace model
