#include "src/wire/dns_lookup.h"

#include "tests/unit/catch.h"
#include "tests/unit/dns_packet.h"

namespace {

using dns_packet::a;
using dns_packet::message;
using dns_packet::name;
using dns_packet::record;
using wire::DnsLookup;
using wire::RecordType;
using Outcome = DnsLookup::Outcome;

const wire::DnsQuestion kAsked{"www.example", RecordType::A};
constexpr unsigned kOk = 0x81a0;  // with AD
constexpr unsigned kAddress = 1;
constexpr unsigned kAlias = 5;

std::string alias(const std::string& from, const std::string& to) {
  return record(name(from), kAlias, name(to));
}

DnsLookup look_up(unsigned flags, unsigned answers, const std::string& records) {
  return wire::read_dns_lookup(message(kAsked, {.flags = flags, .answers = answers}, records),
                               kAsked, true);
}

// Answers with SERVFAIL and an extended error.
DnsLookup fail_with(char extended_error) {
  const std::string option = std::string("\0\x0f\0\2\0", 5) + extended_error;
  return wire::read_dns_lookup(
      message(kAsked, {.flags = 0x8182, .additional = 1}, record(name(""), 41, option, 1232)),
      kAsked, true);
}

}  // namespace

TEST_CASE("Records of the name asked for are found") {
  const auto found = look_up(kOk, 2, a('\1') + a('\2'));
  CHECK(found.outcome == Outcome::Found);
  CHECK(found.records.size() == 2);
  CHECK(found.canonical_name == "www.example");
  CHECK(found.is_secure);
  CHECK(found.why.empty());
}

TEST_CASE("The AD bit counts from a resolver that is trusted alone") {
  const auto bytes = message(kAsked, {.flags = kOk, .answers = 1}, a('\1'));
  CHECK(wire::read_dns_lookup(bytes, kAsked, true).is_secure);
  CHECK_FALSE(wire::read_dns_lookup(bytes, kAsked, false).is_secure);
  CHECK_FALSE(look_up(0x8180, 1, a('\1')).is_secure);
}

TEST_CASE("Aliases are followed in whatever order they come") {
  const auto target = record(name("c.example"), kAddress, "abcd");
  const auto found =
      look_up(kOk, 3, target + alias("b.example", "c.example") + alias("www.example", "b.example"));
  CHECK(found.outcome == Outcome::Found);
  CHECK(found.canonical_name == "c.example");
  CHECK(found.aliases == 2);
  CHECK(found.records.size() == 1);
}

TEST_CASE("Records that nobody asked for are left out") {
  const auto lied = look_up(kOk, 2, record(name("bank.example"), kAddress, "evil") + a('\1'));
  CHECK(lied.outcome == Outcome::Found);
  CHECK(lied.records.size() == 1);
  const auto only_lies = look_up(kOk, 1, record(name("bank.example"), kAddress, "evil"));
  CHECK(only_lies.outcome == Outcome::NoData);
}

TEST_CASE("An alias that leads out of the answer is to be asked for") {
  const auto unfinished = look_up(kOk, 1, alias("www.example", "b.example"));
  CHECK(unfinished.outcome == Outcome::Alias);
  CHECK(unfinished.canonical_name == "b.example");
}

TEST_CASE("Aliases in a circle are named") {
  const auto circle =
      look_up(kOk, 2, alias("www.example", "b.example") + alias("b.example", "www.example"));
  CHECK(circle.outcome == Outcome::AliasLoop);
  std::string chain = alias("www.example", "a0.example");
  for (unsigned i = 1; i < wire::kMostAliases; ++i) {
    chain += alias("a" + std::to_string(i - 1) + ".example", "a" + std::to_string(i) + ".example");
  }
  const auto target = record(name("a9.example"), kAddress, "abcd");
  CHECK(look_up(kOk, 11, chain + target).outcome == Outcome::Found);
  CHECK(look_up(kOk, 11, chain + alias("a9.example", "b.example")).outcome == Outcome::AliasLoop);
}

TEST_CASE("No record, no name and no answer are three different things") {
  CHECK(look_up(kOk, 0, "").outcome == Outcome::NoData);
  CHECK(look_up(kOk | 3U, 0, "").outcome == Outcome::NoName);
  CHECK(look_up(kOk | 3U, 0, "").is_secure);
  CHECK(look_up(kOk | 3U, 1, alias("www.example", "b.example")).outcome == Outcome::NoName);
  const auto failed = look_up(0x8182, 0, "");
  CHECK(failed.outcome == Outcome::Failure);
  CHECK(failed.why == "SERVFAIL");
  CHECK(look_up(0x8185, 0, "").why == "REFUSED");
  // A SERVFAIL with records in it has none.
  CHECK(look_up(0x8182, 1, a('\1')).records.empty());
  for (const auto outcome :
       {Outcome::Found, Outcome::NoData, Outcome::NoName, Outcome::AliasLoop}) {
    CHECK_FALSE(wire::is_unknown(outcome));
  }
  for (const auto outcome : {Outcome::Bogus, Outcome::Failure, Outcome::Malformed, Outcome::Timeout,
                             Outcome::Unreachable}) {
    CHECK(wire::is_unknown(outcome));
  }
}

TEST_CASE("SERVFAIL is bogus where the resolver says that DNSSEC is why") {
  for (const char code : {'\6', '\7', '\x08', '\x09', '\x0a', '\x0b', '\x0c'}) {
    CHECK(fail_with(code).outcome == Outcome::Bogus);
  }
  for (const char code : {'\0', '\5', '\x0d', '\x16'}) {
    CHECK(fail_with(code).outcome == Outcome::Failure);
  }
}

TEST_CASE("What can't be read says why") {
  const auto cut = look_up(0x8380, 0, "");
  CHECK(cut.outcome == Outcome::Malformed);
  CHECK(cut.why == "it is cut off over TCP too");
  const auto rubbish = wire::read_dns_lookup("rubbish", kAsked, true);
  CHECK(rubbish.outcome == Outcome::Malformed);
  CHECK(rubbish.why == "its header is cut off");
  CHECK(rubbish.canonical_name == "www.example");
}
