#include "src/model/mail_route.h"

namespace model {

std::string_view to_word(RouteFault fault) {
  switch (fault) {
    case RouteFault::NotAName:
      return "not-a-name";
    case RouteFault::NoSuchName:
      return "no-such-name";
    case RouteFault::NoAddress:
      return "no-address";
    case RouteFault::NullMx:
      return "null-mx";
    case RouteFault::AliasLoop:
      return "alias-loop";
    case RouteFault::DnssecInvalid:
      return "dnssec-invalid";
    case RouteFault::Timeout:
      return "timeout";
    case RouteFault::DnsFailure:
      return "dns-failure";
  }
  return "";
}

std::optional<RouteFault> parse_route_fault(std::string_view word) {
  for (const RouteFault each : kRouteFaults) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

bool is_unknown(RouteFault fault) {
  switch (fault) {
    case RouteFault::NotAName:
    case RouteFault::NoSuchName:
    case RouteFault::NoAddress:
    case RouteFault::NullMx:
    case RouteFault::AliasLoop:
      return false;
    case RouteFault::DnssecInvalid:
    case RouteFault::Timeout:
    case RouteFault::DnsFailure:
      return true;
  }
  return true;
}

std::string_view to_word(Route::Kind kind) {
  switch (kind) {
    case Route::Kind::Mx:
      return "mx";
    case Route::Kind::ImplicitMx:
      return "implicit-mx";
    case Route::Kind::Host:
      return "host";
    case Route::Kind::Literal:
      return "literal";
  }
  return "";
}

std::optional<Route::Kind> parse_route_kind(std::string_view word) {
  for (const Route::Kind each : kRouteKinds) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

std::string address_text(const AddressBytes& address) {
  return to_text(Network{address, 128});
}

}  // namespace model
