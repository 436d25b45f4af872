#include "src/wire/resolver_choice.h"

#include "tests/unit/catch.h"

namespace {

using wire::ResolverChoice;

ResolverChoice setting(std::string_view text) {
  auto choice = wire::parse_resolver_setting(text);
  if (!choice) FAIL(choice.error());
  return *choice;
}

}  // namespace

TEST_CASE("The setting is one resolver, trusted where it is on this host") {
  CHECK(setting("127.0.0.1") == ResolverChoice{{{"127.0.0.1", 53}}, true});
  CHECK(setting("127.0.0.53:5353") == ResolverChoice{{{"127.0.0.53", 5353}}, true});
  CHECK(setting("::1") == ResolverChoice{{{"::1", 53}}, true});
  CHECK(setting("[::1]:5353") == ResolverChoice{{{"::1", 5353}}, true});
  CHECK(setting("192.0.2.53") == ResolverChoice{{{"192.0.2.53", 53}}, false});
  CHECK(setting("2001:db8::53 trust-ad") == ResolverChoice{{{"2001:db8::53", 53}}, true});
  // Not this host, though it looks like it.
  CHECK_FALSE(setting("10.0.0.1").is_trusted);
  CHECK_FALSE(setting("fe80::1").is_trusted);
}

TEST_CASE("What is no resolver is refused") {
  for (const auto* bad : {"", " ", "localhost", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:",
                          "[127.0.0.1]:53", "[::1", "[::1]", "127.0.0.1 trust", "trust-ad",
                          "127.0.0.1 127.0.0.2", "127.0.0.1 trust-ad x", "127.0.0.1:5x"}) {
    const auto choice = wire::parse_resolver_setting(bad);
    INFO(bad);
    REQUIRE_FALSE(choice.ok());
    CHECK_THAT(choice.error(), Catch::Matchers::ContainsSubstring("allowed is an IP address"));
  }
}

TEST_CASE("resolv.conf is read as the C library reads it") {
  const auto read = wire::parse_resolv_conf;
  CHECK(read("") == ResolverChoice{{{"127.0.0.1", 53}}, true});
  CHECK(read("# nameserver 192.0.2.1\nsearch example.com\nnameserver\t::1\r\noptions edns0\n") ==
        ResolverChoice{{{"::1", 53}}, true});
  CHECK(read("nameserver 127.0.0.1\nnameserver 192.0.2.1") ==
        ResolverChoice{{{"127.0.0.1", 53}, {"192.0.2.1", 53}}, false});
  CHECK(read("nameserver 192.0.2.1\noptions timeout:1 trust-ad\n") ==
        ResolverChoice{{{"192.0.2.1", 53}}, true});
  CHECK(read("nameserver 192.0.2.1\n;options trust-ad\n") ==
        ResolverChoice{{{"192.0.2.1", 53}}, false});
  CHECK(read("nameserver here\nnameserver fe80::1%eth0\nnameserver 192.0.2.9\nnameserver") ==
        ResolverChoice{{{"192.0.2.9", 53}}, false});
  CHECK(
      read("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4")
          .servers.size() == 3);
}
