#include "tlsmap/policy_parse.h"

#include <string>

#include "tests/unit/catch.h"
#include "tlsmap/policy_text.h"

using Catch::Matchers::ContainsSubstring;
using model::Level;
using tlsmap::attribute_key;
using tlsmap::parse_policy;

namespace {

tlsmap::ParsedPolicy parsed(std::string_view text) {
  auto policy = parse_policy(text);
  INFO(text << ": " << (policy ? "" : policy.error()));
  REQUIRE(policy.ok());
  return std::move(*policy);
}

std::string error_of(std::string_view text) {
  const auto policy = parse_policy(text);
  INFO(text);
  REQUIRE_FALSE(policy.ok());
  return policy.error();
}

std::string key_of(std::string_view text) {
  return attribute_key(parsed(text).profile);
}

std::string name_of(std::string_view text) {
  return tlsmap::telling_name(parsed(text).profile);
}

}  // namespace

TEST_CASE("policy parse: every attribute finds its column") {
  const auto policy = parsed(
      "Secure match=nexthop:.a.example match=b.example protocols=!SSLv3:TLSv1.2 ciphers=HIGH, "
      "exclude=aNULL:MD5 tafile=/etc/ta.pem servername=hostname connection_reuse=Yes "
      "enable_rpk=no");
  const auto& profile = policy.profile;
  CHECK(profile.level == Level::Secure);
  CHECK(profile.fallback == model::Fallback::Never);
  CHECK(policy.match == "nexthop:.a.example:b.example");
  CHECK(profile.protocols == "!SSLv3:TLSv1.2");
  CHECK_FALSE(profile.min_protocol);
  CHECK(profile.ciphers == "high");
  CHECK(profile.exclude == "aNULL:MD5");
  CHECK(profile.tafile == "/etc/ta.pem");
  CHECK(profile.servername == "hostname");
  CHECK(profile.connection_reuse == true);
  CHECK(profile.enable_rpk == false);
}

TEST_CASE("policy parse: attributes in braces, as Postfix 3.10 has them") {
  const auto policy = parsed("encrypt { protocols = !SSLv2 !SSLv3 !TLSv1 }, { ciphers = high }");
  CHECK(policy.profile.min_protocol == model::TlsVersion::Tls11);
  CHECK(policy.profile.ciphers == "high");
}

TEST_CASE("policy parse: lower protocols excluded are a lowest protocol") {
  for (const char* text :
       {"encrypt protocols=>=TLSv1.2", "encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1",
        "encrypt protocols=!sslv3:!tlsv1:!tlsv1.1", "encrypt protocols=>=TLSv1:!TLSv1:!TLSv1.1"}) {
    INFO(text);
    CHECK(parsed(text).profile.min_protocol == model::TlsVersion::Tls12);
    CHECK(name_of(text) == "encrypt-tls1.2");
  }
  // What names protocols leaves out those to come.
  CHECK_FALSE(parsed("encrypt protocols=TLSv1.2:TLSv1.3").profile.min_protocol);
  CHECK_FALSE(parsed("encrypt protocols=!SSLv2").profile.min_protocol);
  CHECK_FALSE(parsed("encrypt protocols=>=TLSv1.2:<=TLSv1.2").profile.min_protocol);
}

TEST_CASE("policy parse: at may Postfix goes on in clear by itself, elsewhere it doesn't") {
  CHECK(parsed("may").profile.fallback == model::Fallback::Native);
  for (const char* text : {"none", "encrypt", "dane", "dane-only", "verify", "secure"}) {
    CHECK(parsed(text).profile.fallback == model::Fallback::Never);
  }
}

TEST_CASE("policy parse: attributes at none are left out, as Postfix ignores them") {
  const auto policy = parsed("none ciphers=high nonsense");
  CHECK(policy.has_ignored_attributes);
  CHECK(attribute_key(policy.profile) == "none");
  CHECK_FALSE(parsed("none").has_ignored_attributes);
}

TEST_CASE("policy parse: what can't be held is refused, and what is allowed is said") {
  struct Bad {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {
           Bad{"encrpyt", "allowed are none, may, encrypt"},
           Bad{"encrypt cipher=high", "allowed are match, protocols, ciphers"},
           Bad{"encrypt ciphers", "missing '='"},
           Bad{"encrypt ciphers=null", "medium and high are allowed"},
           Bad{"encrypt ciphers=high ciphers=high", "multiple times"},
           Bad{"encrypt protocols=TLSv1.9", "allowed are SSLv2"},
           Bad{"encrypt protocols=", "protocols is empty"},
           Bad{"encrypt protocols=!TLSv1:!TLSv1.1:!TLSv1.2:!TLSv1.3", "leaves no version"},
           Bad{"encrypt match=a.example", "allowed at fingerprint, verify and secure"},
           Bad{"encrypt tafile=/a", "allowed at verify and secure"},
           Bad{"secure tafile=/a tafile=/b", "more than one tafile"},
           Bad{"secure tafile=a", "absolute path"},
           Bad{"secure match=*.a.example", "write \".a.example\""},
           Bad{"secure match=:", "empty value"},
           Bad{"fingerprint", "needs the pins"},
           Bad{"fingerprint match=12:34", "digests"},
           Bad{"may connection_reuse=maybe", "yes and no"},
           Bad{"may enable_rpk=", "yes and no"},
           Bad{"secure policy_type=sts", "no column"},
           Bad{"encrypt { ciphers = high", "missing '}'"},
           Bad{"encrypt servername=-", "host name"},
           Bad{"encrypt exclude=+x", "names of ciphers"},
       }) {
    INFO(text);
    CHECK_THAT(error_of(text), ContainsSubstring(says));
  }
}

TEST_CASE("policy parse: the same attributes have one key, whatever way they are written") {
  CHECK(key_of("encrypt ciphers=high protocols=>=TLSv1.2") ==
        key_of("ENCRYPT protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1,ciphers=High"));
  CHECK(key_of("encrypt protocols=>=TLSv1.2:<=TLSv1.2") ==
        key_of("encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1:!TLSv1.3"));
  CHECK(key_of("encrypt") != key_of("encrypt ciphers=high"));
  CHECK(key_of("encrypt connection_reuse=yes") != key_of("encrypt connection_reuse=no"));
  CHECK(key_of("encrypt protocols=TLSv1.2:TLSv1.3") != key_of("encrypt protocols=>=TLSv1.2"));
}

TEST_CASE("policy parse: what an older Postfix doesn't know is taken out of a profile") {
  const auto profile = parsed("encrypt connection_reuse=yes enable_rpk=yes").profile;
  const auto old = tlsmap::without_unknown_attributes(profile, {3, 4, 0});
  CHECK(attribute_key(old) == "encrypt");
  const auto newer = tlsmap::without_unknown_attributes(profile, {3, 8, 0});
  CHECK(attribute_key(newer) == "encrypt connection_reuse=yes");
  CHECK(tlsmap::without_unknown_attributes(profile, {3, 9, 0}) == profile);
}

TEST_CASE("policy parse: names tell what a profile asks for") {
  CHECK(name_of("encrypt protocols=>=TLSv1.3 ciphers=high") == "encrypt-tls1.3-high");
  CHECK(name_of("secure ciphers=medium") == "secure-medium");
  CHECK(name_of("may exclude=MD5 servername=hostname connection_reuse=no enable_rpk=yes") ==
        "may-exclude-sni-no-reuse-rpk");
  CHECK(name_of("dane-only protocols=TLSv1.2") == "dane-only-protocols");
  const auto longest = name_of(
      "fingerprint match=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF protocols=TLSv1.2 "
      "ciphers=medium exclude=MD5 servername=hostname connection_reuse=no enable_rpk=no");
  // There is room for a number behind it.
  CHECK(longest.size() + 4 <= model::kLongestProfileName);
}

TEST_CASE("policy parse: what is read is written so that it reads the same") {
  for (const char* text :
       {"none", "may", "encrypt protocols=>=TLSv1.2 ciphers=high",
        "secure match=nexthop:.a.example",
        "verify tafile=/a servername=nexthop connection_reuse=yes", "dane enable_rpk=yes",
        "encrypt protocols=TLSv1.2:TLSv1.3 exclude=MD5"}) {
    const auto policy = parsed(text);
    model::Verdict verdict;
    verdict.kind = model::Verdict::Kind::Policy;
    verdict.level = policy.profile.level;
    verdict.row.profile = &policy.profile;
    verdict.row.match = policy.match;
    std::string written;
    REQUIRE(tlsmap::append_policy_text(written, verdict, {3, 11, 0}).ok());
    CHECK(written == text);
  }
}
