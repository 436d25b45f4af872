#include "src/jobs/mail_route.h"

#include <functional>
#include <map>

#include "src/base/text.h"
#include "tests/unit/catch.h"

namespace {

using model::Route;
using model::RouteFault;
using wire::DnsLookup;
using wire::DnsQuestion;
using wire::RecordType;
using Outcome = DnsLookup::Outcome;

// A resolver made of a map: "example.com MX" -> "10 mx1.example.com, 20 mx2.example.com", names to
// an outcome where there is no record. What it does not know is NXDOMAIN. '!' in front: insecure.
using Zone = std::map<std::string, std::string>;

const std::map<std::string, Outcome, std::less<>> kOutcomes{
    {"nodata", Outcome::NoData},    {"nxdomain", Outcome::NoName},
    {"loop", Outcome::AliasLoop},   {"bogus", Outcome::Bogus},
    {"servfail", Outcome::Failure}, {"malformed", Outcome::Malformed},
    {"timeout", Outcome::Timeout},  {"gone", Outcome::Unreachable}};

wire::RecordData data_of(RecordType type, std::string_view text) {
  if (type != RecordType::Mx) return model::parse_address(text).value();
  const auto words = base::split(text, " ");
  const auto preference = base::parse_number<std::uint16_t>(words.at(0)).value();
  return wire::MxData{preference, words.size() > 1 ? std::string(words[1]) : ""};
}

DnsLookup answer_from(const Zone& zone, const DnsQuestion& asked) {
  DnsLookup lookup;
  lookup.canonical_name = asked.name;
  const auto found = zone.find(asked.name + " " + std::string(to_word(asked.type)));
  std::string_view text = found == zone.end() ? "nxdomain" : std::string_view(found->second);
  lookup.is_secure = !text.starts_with('!');
  if (!lookup.is_secure) text.remove_prefix(1);
  if (const auto outcome = kOutcomes.find(text); outcome != kOutcomes.end()) {
    lookup.outcome = outcome->second;
    lookup.why = text;
  } else if (text.starts_with("-> ")) {  // an alias, answered with its target's records or alone
    lookup.outcome = Outcome::Alias;
    lookup.aliases = 1;
    lookup.canonical_name = text.substr(3);
  } else {
    lookup.outcome = Outcome::Found;
    for (const auto part : base::split(text, ",")) {
      lookup.records.push_back({asked.name, asked.type, 60, data_of(asked.type, base::trim(part))});
    }
  }
  return lookup;
}

Route route_to(std::string_view next_hop, const Zone& zone, std::size_t* asked = nullptr) {
  jobs::MailRoute machine(next_hop);
  std::size_t questions = 0;
  while (!machine.is_done()) {
    const auto open = machine.take_questions();
    REQUIRE_FALSE(open.empty());
    questions += open.size();
    REQUIRE(questions < 1000);
    for (const auto& question : open) {
      machine.take_answer(question, answer_from(zone, question));
    }
  }
  if (asked != nullptr) *asked = questions;
  return machine.route();
}

// "10 mx1.example.com 192.0.2.1 2001:db8::1 secure; 20 mx2.example.com no-such-name"
std::string hosts_of(const Route& route) {
  std::vector<std::string> hosts;
  for (const auto& host : route.hosts) {
    std::string text = std::to_string(host.preference) + " " + host.name;
    for (const auto& address : host.addresses) text += " " + model::address_text(address);
    if (host.is_secure) text += " secure";
    if (host.fault) text += " " + std::string(model::to_word(*host.fault));
    hosts.push_back(text);
  }
  return base::join(hosts, "; ");
}

std::string fault_of(const Route& route) {
  return std::string(route.fault ? model::to_word(*route.fault) : "none");
}

const Zone kGood{
    {"example.com MX", "20 mx2.example.com, 10 mx1.example.com"},
    {"mx1.example.com A", "192.0.2.1"},
    {"mx1.example.com AAAA", "2001:db8::1"},
    {"mx2.example.com A", "192.0.2.2, 192.0.2.3, 192.0.2.2"},
    {"mx2.example.com AAAA", "nodata"},
};

Zone with(Zone zone, const Zone& more) {
  for (const auto& [name, text] : more) zone[name] = text;
  return zone;
}

}  // namespace

TEST_CASE("Every address of every MX host, by preference") {
  const auto route = route_to("Example.COM.", kGood);
  CHECK(route.kind == Route::Kind::Mx);
  CHECK(route.name == "example.com");
  CHECK(route.is_secure);
  CHECK(hosts_of(route) ==
        "10 mx1.example.com 192.0.2.1 2001:db8::1 secure; "
        "20 mx2.example.com 192.0.2.2 192.0.2.3 secure");
  CHECK(fault_of(route) == "none");
  CHECK(route.text.empty());
  CHECK(hosts_of(route_to("example.com:587", kGood)) == hosts_of(route));
}

TEST_CASE("An internationalised domain is asked for by its A-labels") {
  const auto route = route_to(
      "b\xc3\xbc"
      "cher.example",
      {{"xn--bcher-kva.example MX", "1 mx.example"},
       {"mx.example A", "192.0.2.1"},
       {"mx.example AAAA", "nodata"}});
  CHECK(route.name == "xn--bcher-kva.example");
  CHECK(hosts_of(route) == "1 mx.example 192.0.2.1 secure");
}

TEST_CASE("Bracketed hosts and literals have no MX record") {
  std::size_t asked = 0;
  const auto host = route_to("[mx1.example.com]:587", kGood, &asked);
  CHECK(host.kind == Route::Kind::Host);
  CHECK(host.is_secure);
  CHECK(hosts_of(host) == "0 mx1.example.com 192.0.2.1 2001:db8::1 secure");
  CHECK(asked == 2);
  for (const auto& [next_hop, address] :
       std::map<std::string, std::string>{{"[192.0.2.9]", "192.0.2.9"},
                                          {"[192.0.2.9]:25", "192.0.2.9"},
                                          {"[IPv6:2001:DB8::9]", "2001:db8::9"}}) {
    const auto literal = route_to(next_hop, {}, &asked);
    CHECK(literal.kind == Route::Kind::Literal);
    CHECK(hosts_of(literal) == "0 " + address + " " + address);
    CHECK(asked == 0);
  }
  const auto missing = route_to("[nowhere.example]", {});
  CHECK(fault_of(missing) == "no-such-name");
  CHECK(missing.text == "nowhere.example does not exist in DNS (NXDOMAIN)");
}

TEST_CASE("A domain without MX record is its own host") {
  const auto route = route_to("example.com", {{"example.com MX", "nodata"},
                                              {"example.com A", "192.0.2.1"},
                                              {"example.com AAAA", "!nodata"}});
  CHECK(route.kind == Route::Kind::ImplicitMx);
  CHECK(route.is_secure);
  CHECK(hosts_of(route) == "0 example.com 192.0.2.1");
  CHECK(fault_of(route) == "none");
}

// What a domain is said to be when its records are these, and whether that is known.
struct Case {
  Zone zone;
  std::string fault;
  std::string text;
};

TEST_CASE("Why there is no route has a name and a sentence") {
  const std::string many = "none of the 2 MX hosts of example.com has an address; MX host ";
  const auto one_mx = [](const std::string& host, const Zone& more) {
    return with({{"example.com MX", "10 " + host}}, more);
  };
  const std::vector<Case> cases{
      {{}, "no-such-name", "example.com does not exist in DNS (NXDOMAIN)"},
      {{{"example.com MX", "nodata"}, {"example.com A", "nodata"}, {"example.com AAAA", "nodata"}},
       "no-address",
       "example.com has neither an MX record nor an address"},
      {{{"example.com MX", "0 "}},
       "null-mx",
       "example.com takes no mail: its MX record is \".\" (RFC 7505)"},
      {with(kGood, {{"example.com MX", "10 mx1.example.com, 20 "}}), "null-mx",
       "example.com takes no mail: its MX record is \".\" (RFC 7505)"},
      {{{"example.com MX", "servfail"}, {"example.com A", "192.0.2.1"}},
       "dns-failure",
       "the MX record of example.com can't be looked up now; the resolver's answer: servfail"},
      {{{"example.com MX", "malformed"}},
       "dns-failure",
       "the MX record of example.com can't be looked up now; the resolver's answer: malformed"},
      {{{"example.com MX", "bogus"}},
       "dnssec-invalid",
       "the MX record of example.com can't be looked up: its DNSSEC signatures do not hold, by the "
       "resolver's word"},
      {{{"example.com MX", "timeout"}},
       "timeout",
       "the MX record of example.com can't be looked up: the resolver did not answer in time"},
      {{{"example.com MX", "nodata"},
        {"example.com A", "servfail"},
        {"example.com AAAA", "nodata"}},
       "dns-failure",
       "example.com can't be looked up now; the resolver's answer: servfail"},
      {one_mx("gone.example", {}), "no-such-name",
       "MX host gone.example does not exist in DNS (NXDOMAIN)"},
      {one_mx("bare.example", {{"bare.example A", "nodata"}, {"bare.example AAAA", "nodata"}}),
       "no-address", "MX host bare.example has no address"},
      {one_mx("mx\\032.example", {}), "not-a-name", "MX host \"mx\\032.example\" is no host name"},
      {one_mx("1.2", {}), "not-a-name", "MX host \"1.2\" is no host name"},
      {one_mx("b.example", {{"b.example A", "loop"}, {"b.example AAAA", "loop"}}), "alias-loop",
       "MX host b.example is an alias that leads nowhere: loop"},
      {{{"example.com MX", "10 a.example, 20 b.example"},
        {"a.example A", "nodata"},
        {"a.example AAAA", "nodata"}},
       "no-such-name",
       many + "b.example does not exist in DNS (NXDOMAIN)"},
      // What is not known outweighs what is: mail waits.
      {{{"example.com MX", "10 a.example, 20 b.example"},
        {"a.example A", "bogus"},
        {"a.example AAAA", "nodata"}},
       "dnssec-invalid",
       many + "a.example can't be looked up: its DNSSEC signatures do not hold, by the resolver's "
              "word"},
  };
  for (const auto& [zone, fault, text] : cases) {
    const auto route = route_to("example.com", zone);
    INFO(text);
    CHECK(fault_of(route) == fault);
    CHECK(route.text == text);
    CHECK(model::is_unknown(*route.fault) ==
          (fault == "dns-failure" || fault == "timeout" || fault == "dnssec-invalid"));
  }
}

TEST_CASE("What can't be a next-hop is not looked up") {
  for (const auto& bad : {std::string("192.0.2.1"), std::string("a..b"), std::string(""),
                          std::string(".example.com"), std::string("*"), std::string("a b.example"),
                          std::string("user@example.com"), std::string(300, 'a')}) {
    std::size_t asked = 0;
    const auto route = route_to(bad, kGood, &asked);
    INFO(bad);
    CHECK(fault_of(route) == "not-a-name");
    CHECK(asked == 0);
    CHECK(route.hosts.empty());
  }
}

TEST_CASE("SERVFAIL is not NXDOMAIN: one host in trouble leaves the others") {
  const auto broken =
      with(kGood, {{"mx1.example.com A", "servfail"}, {"mx1.example.com AAAA", "nxdomain"}});
  const auto route = route_to("example.com", broken);
  CHECK(hosts_of(route) ==
        "10 mx1.example.com secure dns-failure; 20 mx2.example.com 192.0.2.2 192.0.2.3 secure");
  CHECK(fault_of(route) == "none");
}

TEST_CASE("Half an answer is used, and said to be half") {
  const auto half = with(kGood, {{"mx1.example.com AAAA", "timeout"}});
  const auto route = route_to("example.com", half);
  CHECK(route.hosts.at(0).addresses.size() == 1);
  CHECK_FALSE(route.hosts.at(0).fault);
  CHECK(
      route.hosts.at(0).text ==
      "perhaps not all addresses: MX host mx1.example.com can't be looked up: the resolver did not "
      "answer in time");
}

TEST_CASE("An MX record that names an address is connected to, as Postfix does") {
  const auto route = route_to("example.com", {{"example.com MX", "10 192.0.2.8"}});
  CHECK(hosts_of(route) == "10 192.0.2.8 192.0.2.8");
  CHECK(route.hosts.at(0).text ==
        "MX host 192.0.2.8 is an address, which no certificate will name");
}

TEST_CASE("Aliases are followed, of the domain and of a host") {
  const Zone zone{{"example.com MX", "-> other.example"},
                  {"other.example MX", "10 mail.other.example"},
                  {"mail.other.example A", "-> node.hoster.example"},
                  {"mail.other.example AAAA", "-> node.hoster.example"},
                  {"node.hoster.example A", "192.0.2.1"},
                  {"node.hoster.example AAAA", "nodata"}};
  const auto route = route_to("example.com", zone);
  CHECK(route.kind == Route::Kind::Mx);
  CHECK(hosts_of(route) == "10 mail.other.example 192.0.2.1 secure");
  CHECK(route.hosts.at(0).canonical_name == "node.hoster.example");
  CHECK(
      route.hosts.at(0).text ==
      "MX host mail.other.example is an alias of node.hoster.example, which RFC 2181 10.3 forbids; "
      "its certificate must name mail.other.example");
  const auto insecure =
      route_to("example.com", with(zone, {{"mail.other.example A", "!-> node.hoster.example"}}));
  CHECK(insecure.is_secure);
  CHECK(hosts_of(insecure) == "10 mail.other.example 192.0.2.1");
}

TEST_CASE("Aliases that never end are given up after ten") {
  std::size_t asked = 0;
  const auto circle = route_to(
      "a.example", {{"a.example MX", "-> b.example"}, {"b.example MX", "-> a.example"}}, &asked);
  CHECK(fault_of(circle) == "alias-loop");
  CHECK(asked == wire::kMostAliases + 1);
  const auto odd = route_to("a.example", {{"a.example MX", "-> \\000.example"}});
  CHECK(fault_of(odd) == "alias-loop");
}

TEST_CASE("A domain whose MX answer is not secure has no secure host") {
  const auto route =
      route_to("example.com", with(kGood, {{"example.com MX", "!10 mx1.example.com"}}));
  CHECK_FALSE(route.is_secure);
  CHECK(hosts_of(route) == "10 mx1.example.com 192.0.2.1 2001:db8::1");
  const auto half = route_to("example.com", with(kGood, {{"mx1.example.com A", "!192.0.2.1"}}));
  CHECK(half.is_secure);
  CHECK_FALSE(half.hosts.at(0).is_secure);
  CHECK(half.hosts.at(1).is_secure);
}

TEST_CASE("A host named twice is one, at its best preference") {
  const auto route = route_to(
      "example.com", with(kGood, {{"example.com MX", "30 mx1.example.com, 10 mx1.example.com"}}));
  CHECK(hosts_of(route) == "10 mx1.example.com 192.0.2.1 2001:db8::1 secure");
}

TEST_CASE("Two hosts that are aliases of one ask for it once") {
  std::size_t asked = 0;
  const auto route = route_to("example.com",
                              {{"example.com MX", "10 a.example, 20 b.example"},
                               {"a.example A", "-> c.example"},
                               {"b.example A", "-> c.example"},
                               {"a.example AAAA", "nodata"},
                               {"b.example AAAA", "nodata"},
                               {"c.example A", "192.0.2.1"}},
                              &asked);
  CHECK(hosts_of(route) == "10 a.example 192.0.2.1 secure; 20 b.example 192.0.2.1 secure");
  CHECK(asked == 1 + 4 + 1);
}

TEST_CASE("Hosts and addresses beyond the bounds are left out, which is said") {
  Zone zone;
  std::string hosts;
  for (std::size_t i = 0; i <= jobs::kMostRouteHosts; ++i) {
    const std::string host = "mx" + std::to_string(i) + ".example";
    hosts += "10 " + host + ",";
    zone[host + " A"] = "192.0.2.1";
  }
  zone["example.com MX"] = hosts;
  const auto route = route_to("example.com", zone);
  CHECK(route.hosts.size() == jobs::kMostRouteHosts);
  CHECK(route.text == "example.com has more than 50 MX hosts; the others are left out");
  CHECK(fault_of(route) == "none");

  std::string addresses;
  for (std::size_t i = 0; i <= jobs::kMostHostAddresses; ++i) {
    addresses += "192.0.2." + std::to_string(i) + ",";
  }
  const auto wide =
      route_to("[mx.example]", {{"mx.example A", addresses}, {"mx.example AAAA", "2001:db8::1"}});
  CHECK(wide.hosts.at(0).addresses.size() == jobs::kMostHostAddresses);
  CHECK(wide.hosts.at(0).text == "mx.example has more than 20 addresses; the others are left out");
}

TEST_CASE("Answers to questions that are not open change nothing") {
  jobs::MailRoute machine("example.com");
  const DnsQuestion mx{"example.com", RecordType::Mx};
  const DnsQuestion other{"example.org", RecordType::Mx};
  machine.take_answer(mx, answer_from(kGood, mx));  // not asked yet
  CHECK_FALSE(machine.is_done());
  CHECK(machine.take_questions() == std::vector<DnsQuestion>{mx});
  CHECK(machine.take_questions().empty());
  machine.take_answer(other, answer_from(kGood, other));
  CHECK(machine.route().hosts.empty());
  machine.take_answer(mx, answer_from(kGood, mx));
  machine.take_answer(mx, answer_from(kGood, mx));
  CHECK(machine.route().hosts.size() == 2);
  CHECK(machine.take_questions().size() == 4);
}
