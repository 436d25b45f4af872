#include "src/model/next_hop.h"

#include <string>

#include "tests/unit/catch.h"

using namespace model;

namespace {

struct Case {
  std::string asked;
  KeyKind kind;
  std::string text;
};

void check(const Case& each) {
  INFO("\"" << each.asked << "\"");
  const Key key = normalise_key(each.asked);
  CHECK(static_cast<int>(key.kind) == static_cast<int>(each.kind));
  CHECK(key.text == each.text);
}

// What is a next-hop and what isn't, asked and written: the same normal form, or refused.
void check_both(const Case& each) {
  check(each);
  const auto written = parse_destination(each.asked);
  INFO("\"" << each.asked << "\"");
  REQUIRE(written.ok());
  CHECK(static_cast<int>(written->kind) == static_cast<int>(each.kind));
  CHECK(written->text == each.text);
  CHECK(each.text.size() <= kLongestDestination);
}

std::string label_of(std::size_t size) {
  return std::string(size, 'a');
}
std::string name_of(std::size_t size) {
  std::string name;
  while (name.size() + 64 < size) name += label_of(63) + ".";
  return name + label_of(size - name.size());
}

}  // namespace

TEST_CASE("next_hop: a domain is folded to lower case and loses its trailing dot") {
  check_both({"example.com", KeyKind::Domain, "example.com"});
  check_both({"GOOD.Test", KeyKind::Domain, "good.test"});
  check_both({"Example.COM.", KeyKind::Domain, "example.com"});
  check_both({"localhost", KeyKind::Domain, "localhost"});
  check_both({"xn--mnchen-3ya.example", KeyKind::Domain, "xn--mnchen-3ya.example"});
  check_both({"3com.example", KeyKind::Domain, "3com.example"});
  // Postfix walks the parents of any name that has something but digits [valid_hostname.c].
  check_both({"a.123", KeyKind::Domain, "a.123"});
  check_both({"a--b.example", KeyKind::Domain, "a--b.example"});
}

TEST_CASE("next_hop: a parent is what stands below a domain") {
  check_both({".example.com", KeyKind::Parent, ".example.com"});
  check_both({".TEST", KeyKind::Parent, ".test"});
  check_both({".Example.com.", KeyKind::Parent, ".example.com"});
  check_both(
      {".b\xc3\xbc"
       "cher.example",
       KeyKind::Parent, ".xn--bcher-kva.example"});
}

TEST_CASE("next_hop: a port is a number or a service, and stays as it was written") {
  check_both({"good.test:587", KeyKind::PortedDomain, "good.test:587"});
  check_both({"Good.Test.:587", KeyKind::PortedDomain, "good.test:587"});
  check_both({"good.test:Submission", KeyKind::PortedDomain, "good.test:submission"});
  check_both({"good.test:65535", KeyKind::PortedDomain, "good.test:65535"});
  check_both({"relay_1:25", KeyKind::PortedDomain, "relay_1:25"});
  for (const auto* port : {"", "0", "025", "65536", "99999999999", "+25", "2 5", "-smtp", "smtp-",
                           "25:25", "a-service-of-16c", "25.", "sm_tp", "-"}) {
    const std::string key = std::string("good.test:") + port;
    check({key, KeyKind::Opaque, key});
    CHECK_FALSE(parse_destination(key).ok());
    const std::string bracketed = std::string("[good.test]:") + port;
    check({bracketed, KeyKind::Opaque, bracketed});
    CHECK_FALSE(parse_destination(bracketed).ok());
  }
}

TEST_CASE("next_hop: a host in brackets") {
  check_both({"[MX.Good.TEST]", KeyKind::Host, "[mx.good.test]"});
  check_both({"[mx.good.test]:2525", KeyKind::Host, "[mx.good.test]:2525"});
  check_both({"[mx.good.test.]:25", KeyKind::Host, "[mx.good.test]:25"});
  check_both({"[mail_1]:25", KeyKind::Host, "[mail_1]:25"});
  check_both(
      {"[b\xc3\xbc"
       "cher.example]:SMTP",
       KeyKind::Host, "[xn--bcher-kva.example]:smtp"});
}

TEST_CASE("next_hop: an address has one normal form, whichever way it is spelled") {
  check_both({"[192.0.2.1]", KeyKind::Literal, "[192.0.2.1]"});
  check_both({"[192.0.2.1]:25", KeyKind::Literal, "[192.0.2.1]:25"});
  for (const auto* same : {"[IPv6:2001:db8::1]", "[2001:DB8::1]", "[ipv6:2001:0db8:0:0::1]",
                           "[IPV6:2001:db8:0:0:0:0:0:1]"}) {
    check_both({same, KeyKind::Literal, "[2001:db8::1]"});
  }
  check_both({"[IPv6:2001:db8::1]:587", KeyKind::Literal, "[2001:db8::1]:587"});
  check_both({"[::0102:0304]", KeyKind::Literal, "[::1.2.3.4]"});
  for (const auto* bad : {"[192.0.2]", "[192.0.2.256]", "[192.0.2.1.]", "[ipv6:192.0.2.1]",
                          "[2001:db8::1::2]", "[fe80::1%eth0]", "[::1", "[]", "[ipv6:]", "[1]"}) {
    check({bad, KeyKind::Opaque, bad});
    CHECK_FALSE(parse_destination(bad).ok());
  }
}

TEST_CASE("next_hop: U-labels become A-labels as UTS 46 says, without transition") {
  check_both(
      {"B\xc3\x9c"
       "CHER.example",
       KeyKind::Domain, "xn--bcher-kva.example"});
  check_both(
      {"bu\xcc\x88"
       "cher.example",
       KeyKind::Domain, "xn--bcher-kva.example"});
  check_both({"fa\xc3\x9f.example", KeyKind::Domain, "xn--fa-hia.example"});
  // An ideographic full stop separates labels, and ends a name.
  check_both({"\xe4\xbe\x8b\xe3\x80\x82jp\xe3\x80\x82", KeyKind::Domain, "xn--fsq.jp"});
  check_both(
      {"b\xc3\xbc"
       "cher.example.",
       KeyKind::Domain, "xn--bcher-kva.example"});
  // Postfix's ICU takes symbols and mixed directions too, so the rows for any domain must hold.
  check_both({"\xe2\x98\xba.example", KeyKind::Domain, "xn--74h.example"});
  check_both(
      {"\xd7\x90"
       "1a.example",
       KeyKind::Domain, "xn--1a-uld.example"});
  check_both(
      {"xn--74h.b\xc3\xbc"
       "cher.example",
       KeyKind::Domain, "xn--74h.xn--bcher-kva.example"});
}

TEST_CASE("next_hop: what has no A-labels is opaque, with its ASCII letters folded") {
  const std::string nul("b\xc3\xbc\0x.Example", 13);
  check({nul, KeyKind::Opaque, std::string("b\xc3\xbc\0x.example", 13)});
  CHECK_FALSE(parse_destination(nul).ok());
  for (const std::string& bad :
       {std::string("\xff\xfe.example"), std::string("b\xc3.example"),
        std::string("\xc3\xbc..example"), std::string("-\xc3\xbc.example"),
        // A full-width colon must not make a port.
        std::string("example.com\xef\xbc\x9a"
                    "25"),
        std::string("\xc3\xbc.example:0"), std::string("\xe2\x98\xba\xc3\x9f.example")}) {
    check({bad, KeyKind::Opaque, bad});
    CHECK_FALSE(parse_destination(bad).ok());
  }
  std::string endless;
  while (endless.size() < 9000) endless += "\xc3\xbc";
  check({endless, KeyKind::Opaque, endless});
}

TEST_CASE("next_hop: what can't be a domain is opaque and no destination") {
  const std::string nul("a\0b.example", 11);
  check({nul, KeyKind::Opaque, nul});
  CHECK_FALSE(parse_destination(nul).ok());
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("a..b"),
                                 std::string("example.com.."),
                                 std::string("..example.com"),
                                 std::string("-a.example"),
                                 std::string("a-.example"),
                                 std::string("a.-b"),
                                 std::string("192.0.2.1"),
                                 std::string("192.0.2.1:25"),
                                 std::string("2001:db8::1"),
                                 std::string("12"),
                                 std::string("private/dovecot-lmtp"),
                                 std::string("/var/run/lmtp"),
                                 std::string("a b"),
                                 std::string(" example.com"),
                                 std::string("user@example.com"),
                                 std::string("*.example.com"),
                                 std::string("[*]:25"),
                                 std::string("**"),
                                 std::string(":25"),
                                 std::string("[a]b"),
                                 std::string("[a]]"),
                                 std::string("[[a]]"),
                                 std::string(".example.com:25"),
                                 std::string("[.example.com]"),
                                 std::string("a[b]"),
                                 std::string("._tcp.example"),
                                 label_of(64) + ".example",
                                 name_of(254),
                                 name_of(300),
                                 "[" + name_of(254) + "]"}) {
    check({bad, KeyKind::Opaque, bad});
    INFO(bad);
    CHECK_FALSE(parse_destination(bad).ok());
  }
}

TEST_CASE("next_hop: the longest names are taken") {
  check_both({label_of(63) + ".example", KeyKind::Domain, label_of(63) + ".example"});
  check_both({name_of(253), KeyKind::Domain, name_of(253)});
  check_both({name_of(253) + ".", KeyKind::Domain, name_of(253)});
  const std::string longest = "[" + name_of(253) + "]:a-service-of-15";
  check_both({longest, KeyKind::Host, longest});
  CHECK(longest.size() == kLongestDestination);
}

TEST_CASE("next_hop: a name with '_' matches exactly: opaque, yet a destination") {
  check_both({"_dmarc.Example.com", KeyKind::Opaque, "_dmarc.example.com"});
  check_both({"a_b.example.", KeyKind::Opaque, "a_b.example"});
  check_both(
      {"a_b.b\xc3\xbc"
       "cher.example",
       KeyKind::Opaque, "a_b.xn--bcher-kva.example"});
}

TEST_CASE("next_hop: the default rows can be written and never asked for") {
  const auto any = parse_destination("*");
  REQUIRE(any.ok());
  CHECK(any->kind == KeyKind::Any);
  CHECK(any->text == "*");
  const auto any_host = parse_destination("[*]");
  REQUIRE(any_host.ok());
  CHECK(any_host->kind == KeyKind::AnyHost);
  CHECK(any_host->text == "[*]");
  check({"*", KeyKind::Opaque, "*"});
  check({"[*]", KeyKind::Opaque, "[*]"});
}

TEST_CASE("next_hop: a refusal says what to write instead") {
  struct Refused {
    std::string_view written;
    std::string_view part;
  };
  for (const auto& [written, part] :
       {Refused{"192.0.2.1", "an address is written [192.0.2.1]"},
        Refused{"192.0.2.1:25", "an address is written [192.0.2.1]:25"},
        Refused{"2001:db8::1", "an address is written [2001:db8::1]"},
        Refused{"*.example.com", "is written .example.com"},
        Refused{"joe@example.com", "not an address"}, Refused{"[*]:25", "[*] takes no port"},
        Refused{"", "it is empty"}, Refused{"\xff.example", "internationalised"},
        Refused{"a\nb.example", "\"a?b.example\" is no destination"},
        Refused{"a..b", "allowed are example.com, .example.com"}}) {
    const std::string error = parse_destination(written).error();
    INFO(error);
    CHECK(error.find(part) != std::string::npos);
  }
}

TEST_CASE("next_hop: a normal form is its own normal form") {
  for (const auto* asked :
       {"Example.COM.", ".Test", "a.b:SMTP", "[A.b.]:25", "[IPv6:2001:DB8::1]:25", "[::102:304]",
        "fa\xc3\x9f.example", "a_b.example.", "*", "[*]:25", "A b", "\xff.A", "", "a..B"}) {
    INFO(asked);
    const Key once = normalise_key(asked);
    const Key twice = normalise_key(once.text);
    CHECK(once.kind == twice.kind);
    CHECK(once.text == twice.text);
  }
}

TEST_CASE("next_hop: is_domain takes host names in lower case alone") {
  CHECK(is_domain("example.com"));
  CHECK(is_domain("a"));
  for (const auto* bad : {"", "Example.com", "a_b", "example.com.", ".com", "1.2.3.4", "a b",
                          "a:25", "[a]", "b\xc3\xbc"}) {
    INFO(bad);
    CHECK_FALSE(is_domain(bad));
  }
}

TEST_CASE("next_hop: host_of takes brackets and port away") {
  CHECK(host_of("example.com") == "example.com");
  CHECK(host_of("example.com:587") == "example.com");
  CHECK(host_of("[mx.example.com]") == "mx.example.com");
  CHECK(host_of("[mx.example.com]:587") == "mx.example.com");
  CHECK(host_of("[2001:db8::1]:25") == "2001:db8::1");
  CHECK(host_of("2001:db8::1") == "2001:db8::1");
  CHECK(host_of(".example.com") == ".example.com");
  CHECK(host_of("[broken") == "[broken");
}
