// Which resolvers to ask, and whether their word on DNSSEC counts: from config key `resolver`, or
// from /etc/resolv.conf as the C library and so Postfix read it. Text in, values out.
//
// The AD bit is one bit in a packet that anybody on the way can set, so it counts from a resolver
// on this host, or from another one where the admin says so with the C library's own word,
// trust-ad.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace wire {

struct ResolverChoice {
  struct Server {
    std::string address;
    std::uint16_t port = 53;
    bool operator==(const Server&) const = default;
  };
  std::vector<Server> servers;  // at least one
  bool is_trusted = false;      // AD counts
  bool operator==(const ResolverChoice&) const = default;
};

inline constexpr std::string_view kResolverRule =
    "an IP address, with :PORT ([...]:PORT for IPv6) if it isn't 53, and trust-ad behind it if its "
    "word on DNSSEC counts though it isn't on this host; or empty";

// "127.0.0.1", "127.0.0.1:5353", "[::1]:5353", "192.0.2.53 trust-ad".
base::Result<ResolverChoice> parse_resolver_setting(std::string_view text);

// resolv.conf(5): up to three lines `nameserver ADDRESS`, and `options ... trust-ad`. Lines that
// can't be read are passed over, as the C library does; without a server it is 127.0.0.1.
ResolverChoice parse_resolv_conf(std::string_view text);

}  // namespace wire
