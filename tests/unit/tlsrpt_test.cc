#include "src/wire/tlsrpt.h"

#include <string>

#include "src/wire/state_record.h"
#include "tests/unit/catch.h"

namespace {

using model::Cause;
using model::Outcome;
using model::Security;

// As a real Postfix sent them [O 7].
constexpr std::string_view kSuccess =
    R"({"d": "c00.good.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@good.test","policies":[)"
    R"({"policy-type":9,"policy-domain": "c00.good.test","t":0,"f":0}]})";
constexpr std::string_view kStsSuccess =
    R"({"d": "c05.good.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@good.test","policies":[)"
    R"({"policy-type":2,"policy-domain": "c05.good.test","policy-string":["version: STSv1",)"
    R"("mode: enforce","mx: mx.good.test","max_age: 86400"],"mx-host":["mx.good.test"],)"
    R"("t":0,"f":0}]})";
constexpr std::string_view kWrongName =
    R"({"d": "c09.wrongname.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@wrongname.test",)"
    R"("policies":[{"policy-type":2,"policy-domain": "c09.wrongname.test","policy-string":[)"
    R"("version: STSv1","mode: enforce","mx: mx.wrongname.test","max_age: 86400"],)"
    R"("mx-host":["mx.wrongname.test"],"failure-details":[{"c":202,"s": "203.0.113.1",)"
    R"("n": "mx.wrongname.test","h": "250-mx.wrongname.test\r\n250-8BITMIME\r\n250 STARTTLS",)"
    R"("r": "203.0.113.13"}],"t":1,"f":1}]})";
constexpr std::string_view kBroken =
    R"({"dpv": "1","d": "c38.broken.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@broken.test",)"
    R"("policies":[{"policy-type":9,"policy-domain": "c38.broken.test","failure-details":[)"
    R"({"c":205,"s": "203.0.113.1","n": "mx.broken.test","h": "250-mx.broken.test\r\n250 STARTTLS",)"
    R"("r": "203.0.113.16","f": "tls-handshake-failure"}],"t":1,"f":1}]})";
constexpr std::string_view kDane =
    R"({"d": "danebad.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@danebad.test","policies":[)"
    R"({"policy-type":1,"policy-domain": "mx.danebad.test","policy-string":["3 1 1 00"],)"
    R"("failure-details":[{"c":203,"s": "203.0.113.1","n": "mx.danebad.test","h": "250 STARTTLS",)"
    R"("r": "203.0.113.23"}],"t":1,"f":1}]})";

// The only evidence of a datagram that has one.
model::Evidence evidence_of(std::string_view text) {
  const auto parsed = wire::parse_tlsrpt(text);
  INFO(text);
  if (!parsed) FAIL(parsed.error());
  const auto all = wire::evidence_of(*parsed);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::string error_of(std::string_view text) {
  const auto parsed = wire::parse_tlsrpt(text);
  INFO(text);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error();
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  changed.replace(changed.find(from), from.size(), to);
  return changed;
}

std::string with_code(int code, std::string_view reason = "x") {
  return replaced(replaced(kBroken, "205", std::to_string(code)), "tls-handshake-failure", reason);
}

}  // namespace

TEST_CASE("tlsrpt: a success shows encryption and not who the peer was") {
  for (const auto text : {kSuccess, kStsSuccess}) {
    const auto seen = evidence_of(text);
    CHECK(seen.outcome == Outcome{Security::Encrypted, std::nullopt});
    CHECK(seen.source == model::Source::Tlsrpt);
    CHECK_FALSE(seen.is_trusted);
    CHECK(seen.mx.empty());
  }
  CHECK(wire::parse_tlsrpt(kSuccess)->domain == "c00.good.test");
}

TEST_CASE("tlsrpt: failures name their cause and the MX") {
  CHECK(evidence_of(kWrongName).outcome ==
        Outcome{Security::Encrypted, Cause::CertificateHostMismatch});
  CHECK(evidence_of(kWrongName).mx == "mx.wrongname.test[203.0.113.13]");
  CHECK(evidence_of(kBroken).outcome == Outcome{Security::Unknown, Cause::HandshakeFailure});
  CHECK(evidence_of(kBroken).was_offered);
  CHECK(evidence_of(kDane).outcome == Outcome{Security::Encrypted, Cause::CertificateNotTrusted});
}

TEST_CASE("tlsrpt: every result type has its cause, and an unknown one says nothing") {
  struct Case {
    int code;
    Cause cause;
  };
  for (const auto& [code, cause] :
       {Case{201, Cause::StarttlsNotSupported}, Case{204, Cause::CertificateExpired},
        Case{205, Cause::ValidationFailure}, Case{301, Cause::StsPolicyFetchError},
        Case{302, Cause::StsPolicyInvalid}, Case{303, Cause::StsWebpkiInvalid},
        Case{304, Cause::TlsaInvalid}, Case{305, Cause::DnssecInvalid},
        Case{306, Cause::DaneRequired}, Case{901, Cause::LocalFault}}) {
    CHECK(evidence_of(with_code(code)).outcome.cause == cause);
  }
  CHECK(wire::evidence_of(*wire::parse_tlsrpt(with_code(999))).empty());
}

TEST_CASE("tlsrpt: whatever the peer put into its name never leaves the datagram") {
  const auto seen = evidence_of(replaced(kBroken, "\"mx.broken.test\"", "\"mx broken; DROP\""));
  CHECK(seen.mx.empty());
  CHECK(seen.text == "TLSRPT: handshake-failure");
  CHECK(evidence_of(replaced(kBroken, "mx.broken.test", "mx\\u002ebroken.test")).mx.empty());
  CHECK(evidence_of(replaced(kBroken, "250 STARTTLS", "250 \xff\xfe")).outcome.cause ==
        Cause::HandshakeFailure);
}

TEST_CASE("tlsrpt: a key that stands twice is refused at every depth") {
  const std::string_view why = "an object has a key twice";
  CHECK(error_of(R"({"d":"a.test","d":"b.test","policies":[{"t":0,"f":0}]})") == why);
  CHECK(error_of(R"({"d":"a.test","policies":[{"t":0,"f":0,"t":1}]})") == why);
  CHECK(error_of(replaced(kBroken, "\"c\":205", "\"c\":205,\"c\":201")) == why);
  CHECK(error_of(R"({"d":"a.test","x":{"y":[{"z":1,"z":1}]},"policies":[{"t":0,"f":0}]})") == why);
  CHECK(error_of(R"({"d":"a.test","\u0064":"b.test","policies":[{"t":0,"f":0}]})") ==
        "a key has an escape in it");
}

TEST_CASE("tlsrpt: nesting, members, items and length have their limits") {
  const auto nested = [](std::size_t depth) {
    return R"({"d":"a.test","policies":[{"t":0,"f":0}],"x":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}";
  };
  CHECK(wire::parse_tlsrpt(nested(wire::kDeepestTlsrpt - 1)).ok());
  CHECK(error_of(nested(wire::kDeepestTlsrpt)) == "it is nested too deep");
  CHECK(error_of(nested(30'000)) == "it is nested too deep");
  CHECK(error_of(std::string(wire::kLargestTlsrptDatagram + 1, ' ')) == "it is too long");
  std::string members = R"({"d":"a.test")";
  for (int i = 0; i < 100; ++i) members += ",\"k" + std::to_string(i) + "\":1";
  CHECK(error_of(members + "}") == "an object has too many members");
  std::string items = R"({"d":"a.test","x":[1)";
  for (int i = 0; i < 300; ++i) items += ",1";
  CHECK(error_of(items + "]}") == "an array has too many items");
}

TEST_CASE("tlsrpt: a datagram that contradicts itself or says nothing is refused") {
  for (const std::string_view text :
       {R"({"d":"a.test","policies":[{"t":1,"f":0}]})", R"({"d":"a.test","policies":[{"t":0}]})",
        R"({"d":"a.test","policies":[]})", R"({"d":"","policies":[{"t":0,"f":0}]})",
        R"({"policies":[{"t":0,"f":0}]})", R"({"d":7,"policies":[{"t":0,"f":0}]})",
        R"({"d":"a.test","policies":[{"t":0.5,"f":0}]})", R"([])", R"("d")", "", "{", "{}x"}) {
    CHECK_FALSE(error_of(text).empty());
  }
}

TEST_CASE("tlsrpt: no part of a datagram is taken for the whole") {
  for (const auto text : {kSuccess, kWrongName, kBroken}) {
    for (std::size_t length = 0; length < text.size(); ++length) {
      CHECK_FALSE(wire::parse_tlsrpt(text.substr(0, length)).ok());
    }
    CHECK_FALSE(wire::parse_tlsrpt(std::string(text) + "{").ok());
    CHECK(wire::parse_tlsrpt(std::string(text) + " \n").ok());
  }
}

TEST_CASE("tlsrpt: reported evidence is read back as it was written") {
  wire::ReportedEvidence reported;
  reported.serial = 7;
  reported.pid = 4242;
  reported.seen_at = 1'800'000'000;
  reported.is_next_hop = true;
  reported.destination = "c38.broken.test";
  reported.evidence = evidence_of(kBroken);
  std::string bytes;
  wire::append_reported_evidence(bytes, reported);
  wire::append_reported_evidence(bytes, reported);
  for (std::size_t length = 0; length < bytes.size() / 2; ++length) {
    auto part = std::string_view(bytes).substr(0, length);
    CHECK_FALSE(wire::take_reported_evidence(part));
  }
  std::string_view rest = bytes;
  CHECK(wire::take_reported_evidence(rest) == reported);
  CHECK(wire::take_reported_evidence(rest) == reported);
  CHECK(rest.empty());
}
