// Where mail for a next-hop goes by DNS: hosts in order of preference, with every address of each,
// or by name why there is none. Data only; jobs/mail_route.h finds it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/client_match.h"

namespace model {

// Why a host has no address, or a next-hop no host. Those that RFC 8460 or cause.h know have their
// words.
enum class RouteFault : std::uint8_t {
  NotAName,       // the next-hop, or what an MX record names, is no host name
  NoSuchName,     // NXDOMAIN
  NoAddress,      // the name exists and has no address (a next-hop: and no MX record)
  NullMx,         // takes no mail, by its own word (RFC 7505)
  AliasLoop,      // its aliases end nowhere
  DnssecInvalid,  // the signatures of the answer do not hold
  Timeout,        // the resolver is silent
  DnsFailure,     // the resolver could not say
};
inline constexpr std::array kRouteFaults{RouteFault::NotAName,  RouteFault::NoSuchName,
                                         RouteFault::NoAddress, RouteFault::NullMx,
                                         RouteFault::AliasLoop, RouteFault::DnssecInvalid,
                                         RouteFault::Timeout,   RouteFault::DnsFailure};

// "no-such-name", "dnssec-invalid".
std::string_view to_word(RouteFault fault);
std::optional<RouteFault> parse_route_fault(std::string_view word);
// True where nothing is known but that the question found no answer: never held against anybody,
// and never taken for "there is none".
[[nodiscard]] bool is_unknown(RouteFault fault);

struct RouteHost {
  std::string name;  // A-labels, lower case; of an address its text
  std::uint16_t preference = 0;
  std::string canonical_name{};  // where the aliases of `name` end; `name` where it is none
  // As answered, IPv4 before IPv6, none twice.
  std::vector<AddressBytes> addresses{};
  // Whether signatures hold from the next-hop to each address, by the resolver's word.
  bool is_secure = false;
  std::optional<RouteFault> fault{};  // set exactly where there is no address
  // The fault as a sentence; with addresses, what an admin should know of the host, or empty.
  std::string text{};
};

struct Route {
  enum class Kind : std::uint8_t {
    Mx,
    ImplicitMx,  // without MX record the domain is its own host (RFC 5321 5.1)
    Host,        // [mx.example.com]
    Literal,     // [192.0.2.1]
  };
  Kind kind = Kind::Mx;
  std::string next_hop;               // in normal form
  std::string name;                   // what was asked for: `next_hop` without brackets and port
  bool is_secure = false;             // of the answer about MX records; of a Host as the host's
  std::vector<RouteHost> hosts{};     // most preferred first
  std::optional<RouteFault> fault{};  // set exactly where no host has an address
  std::string text{};                 // the fault, or what was left out, as a sentence; or empty
};

inline constexpr std::array kRouteKinds{Route::Kind::Mx, Route::Kind::ImplicitMx, Route::Kind::Host,
                                        Route::Kind::Literal};
// "mx", "implicit-mx", "host", "literal".
std::string_view to_word(Route::Kind kind);
std::optional<Route::Kind> parse_route_kind(std::string_view word);
// "192.0.2.1", "2001:db8::1".
std::string address_text(const AddressBytes& address);

}  // namespace model
