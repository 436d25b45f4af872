#include "tlsmap/policy_text.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::Level;
using model::PostfixVersion;
using model::Profile;
using model::TlsVersion;
using tlsmap::append_policy_text;
using tlsmap::find_policy_fault;

namespace {

model::Verdict verdict_of(const Profile& profile, std::string_view match, Level level) {
  model::Verdict verdict;
  verdict.kind = model::Verdict::Kind::Policy;
  verdict.level = level;
  verdict.row.profile = &profile;
  verdict.row.match = match;
  return verdict;
}

std::string text_of(const Profile& profile, const PostfixVersion& version,
                    std::string_view match = {}) {
  std::string out = "kept ";
  const auto appended = append_policy_text(out, verdict_of(profile, match, profile.level), version);
  return appended ? out.substr(5) : "error: " + appended.error();
}

std::string text_at(Level level, const Profile& profile, std::string_view match = {}) {
  std::string out;
  const auto appended = append_policy_text(out, verdict_of(profile, match, level), {3, 11, 0});
  return appended ? out : "error: " + appended.error();
}

Profile profile_at(Level level) {
  Profile profile;
  profile.name = "p";
  profile.level = level;
  return profile;
}

// A profile that sets all there is.
Profile full_profile(Level level) {
  auto profile = profile_at(level);
  profile.min_protocol = TlsVersion::Tls12;
  profile.ciphers = "high";
  profile.exclude = "aNULL:MD5";
  profile.tafile = "/etc/ta.pem";
  profile.servername = "hostname";
  profile.connection_reuse = true;
  profile.enable_rpk = false;
  return profile;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a profile that sets nothing but its level is answered with the bare level") {
  for (const auto level : model::kLevels) {
    for (const auto& version : {PostfixVersion{3, 4, 0}, PostfixVersion{3, 11, 0}}) {
      CHECK(text_of(profile_at(level), version) == model::to_word(level));
    }
  }
}

TEST_CASE("each attribute comes out only for versions that read it") {
  const auto profile = full_profile(Level::Secure);
  const std::string portable =
      "secure match=.a.test:b.test protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1 ciphers=high "
      "exclude=aNULL:MD5 tafile=/etc/ta.pem servername=hostname";
  const std::string bounds =
      "secure match=.a.test:b.test protocols=>=TLSv1.2 ciphers=high exclude=aNULL:MD5 "
      "tafile=/etc/ta.pem servername=hostname connection_reuse=yes";
  const std::string match = ".a.test:b.test";
  CHECK(text_of(profile, {3, 4, 0}, match) == portable);
  CHECK(text_of(profile, {3, 4, 13}, match) == portable);
  CHECK(text_of(profile, {3, 4, 14}, match) == portable + " connection_reuse=yes");
  CHECK(text_of(profile, {3, 5, 3}, match) == portable);
  CHECK(text_of(profile, {3, 5, 4}, match) == portable + " connection_reuse=yes");
  CHECK(text_of(profile, {3, 6, 0}, match) == bounds);
  CHECK(text_of(profile, {3, 8, 0}, match) == bounds);
  CHECK(text_of(profile, {3, 9, 0}, match) == bounds + " enable_rpk=no");
  CHECK(text_of(profile, {3, 11, 0}, match) == bounds + " enable_rpk=no");
  CHECK_FALSE(has(text_of(profile, {3, 3, 0}, match), "servername"));
}

TEST_CASE("a bound is said as exclusions to a Postfix older than 3.6") {
  const std::vector<std::pair<std::string, std::string>> table{
      {">=TLSv1", "!SSLv2:!SSLv3"},
      {">=TLSv1.3", "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1:!TLSv1.2"},
      {"<=TLSv1.2", "!SSLv2:!TLSv1.3"},
      {">=TLSv1.1:<=TLSv1.2", "!SSLv2:!SSLv3:!TLSv1:!TLSv1.3"},
      {">=TLSv1:!TLSv1.1", "!SSLv2:!SSLv3:!TLSv1.1"},
      {"!SSLv2:!SSLv3", "!SSLv2:!SSLv3"},
      {"TLSv1.2:TLSv1.3", "TLSv1.2:TLSv1.3"}};
  for (const auto& [written, portable] : table) {
    auto profile = profile_at(Level::May);
    profile.protocols = written;
    INFO(written);
    CHECK(text_of(profile, {3, 5, 25}) == "may protocols=" + portable);
    CHECK(text_of(profile, {3, 6, 0}) == "may protocols=" + written);
  }
  auto profile = profile_at(Level::May);
  profile.min_protocol = TlsVersion::Tls10;
  CHECK(text_of(profile, {3, 5, 25}) == "may protocols=!SSLv2:!SSLv3");
  CHECK(text_of(profile, {3, 6, 0}) == "may protocols=>=TLSv1");
}

TEST_CASE("the level that is answered decides which attributes go with it") {
  const auto none = full_profile(Level::None);
  CHECK(text_at(Level::None, none) == "none");
  const std::string plain =
      " protocols=>=TLSv1.2 ciphers=high exclude=aNULL:MD5 servername=hostname "
      "connection_reuse=yes enable_rpk=no";
  CHECK(text_at(Level::Encrypt, none) == "encrypt" + plain);
  CHECK(text_at(Level::Encrypt, full_profile(Level::Dane)) == "encrypt" + plain);
  // A strict map raised it: neither match nor tafile has a place at encrypt.
  CHECK(text_at(Level::Encrypt, full_profile(Level::Verify), "a.test") == "encrypt" + plain);
  CHECK(text_at(Level::Dane, full_profile(Level::Dane)) == "dane" + plain);
  const std::string pin = "AA:BB:CC:DD:AA:BB:CC:DD:AA:BB:CC:DD:AA:BB:CC:DD";
  CHECK(text_at(Level::Fingerprint, full_profile(Level::Fingerprint), pin) ==
        "fingerprint match=" + pin + plain);
}

TEST_CASE("a value that isn't one token never leaves, in whatever attribute it hides") {
  for (const std::string bad : {"a b", "a,b", "a\tb", "a\nb", "a{b", "b}", "a\x01", "\xc3\xa9"}) {
    auto profile = profile_at(Level::Secure);
    INFO(bad);
    CHECK(has(text_of(profile, {3, 11, 0}, bad), "error: match"));
    profile.tafile = "/" + bad;
    CHECK(has(text_of(profile, {3, 11, 0}), "error: tafile"));
    profile = profile_at(Level::Secure);
    profile.exclude = bad;
    CHECK(has(text_of(profile, {3, 11, 0}), "error: exclude"));
    profile = profile_at(Level::Secure);
    profile.servername = bad;
    CHECK(has(text_of(profile, {3, 11, 0}), "error: servername"));
    profile = profile_at(Level::Secure);
    profile.protocols = bad;
    CHECK(has(text_of(profile, {3, 11, 0}), "error: protocols"));
    CHECK(has(text_of(profile, {3, 4, 0}), "error: protocols"));
    profile = profile_at(Level::Secure);
    profile.ciphers = bad;
    CHECK(has(text_of(profile, {3, 11, 0}), "error: ciphers"));
  }
}

TEST_CASE("where the grammar objects, nothing is appended and the error says for whom and why") {
  auto profile = profile_at(Level::May);
  profile.ciphers = "strong";
  std::string out = "kept";
  const auto appended = append_policy_text(out, verdict_of(profile, {}, Level::May), {3, 7, 0});
  REQUIRE_FALSE(appended);
  CHECK(appended.error() == "Postfix 3.7 would refuse it: invalid cipher grade: \"strong\"");
  CHECK(out == "kept");
}

TEST_CASE("a verdict without a profile is an error, not a guess") {
  std::string out;
  CHECK_FALSE(append_policy_text(out, {}, {3, 7, 0}));
  CHECK(out.empty());
}

TEST_CASE("good attributes have no fault at any level") {
  for (const auto level : model::kLevels) {
    CHECK_FALSE(find_policy_fault(profile_at(level), {}));
    CHECK_FALSE(find_policy_fault(full_profile(level), {}));
  }
}

TEST_CASE("a fault names the attribute, the bad word and what is allowed") {
  const auto fault = [](auto change) {
    auto profile = profile_at(Level::Secure);
    change(profile);
    return find_policy_fault(profile, {}).value_or("");
  };
  CHECK(fault([](Profile& p) { p.ciphers = "strong"; }) ==
        "ciphers is \"strong\"; medium and high are allowed");
  CHECK_FALSE(fault([](Profile& p) { p.ciphers = "low"; }).empty());
  CHECK(has(fault([](Profile& p) { p.protocols = "!SSLv2:TLSv9"; }), "protocols has \"TLSv9\""));
  CHECK(has(fault([](Profile& p) { p.protocols = ">=SSLv2"; }), "protocols has \">=SSLv2\""));
  CHECK(has(fault([](Profile& p) { p.protocols = "!TLSv1:!TLSv1.1:!TLSv1.2:!TLSv1.3"; }),
            "leaves no version of TLS"));
  CHECK(has(fault([](Profile& p) { p.exclude = "MD5:!RC4"; }), "exclude has \"!RC4\""));
  CHECK(has(fault([](Profile& p) { p.servername = "1.2.3.4"; }), "servername \"1.2.3.4\""));
  CHECK(has(fault([](Profile& p) { p.tafile = "ta.pem"; }), "tafile \"ta.pem\""));
  CHECK(has(fault([](Profile& p) { p.tafile = "/a b"; }), "absolute path"));
  CHECK(has(fault([](Profile& p) { p.servername = "a\x1b[2J.test"; }), "a?[2J.test"));
}

TEST_CASE("a match is read as its level reads it") {
  const auto fault = [](Level level, std::string_view match) {
    return find_policy_fault(profile_at(level), match).value_or("");
  };
  for (const std::string good :
       {"a.test", ".a.test", "a.test:.b.test", "nexthop:dot-nexthop", "hostname", "A.Test"}) {
    INFO(good);
    CHECK(fault(Level::Secure, good).empty());
    CHECK(fault(Level::Verify, good).empty());
  }
  CHECK(fault(Level::Secure, "a.test:*.b.test") ==
        "match has \"*.b.test\", which matches nothing; write \".b.test\" for every name below it");
  for (const std::string bad : {":", "a.test:", ":a.test", "a..test", ".", "..a.test", "1.2.3.4",
                                "a.test|b.test", "a.test,b.test", "a test", "[a.test]"}) {
    INFO(bad);
    CHECK(has(fault(Level::Secure, bad), "match has \""));
  }
  const std::string md5 = "C9:23:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd";
  const std::string sha256 = md5 + ":" + md5;
  for (const auto& good : {md5, md5 + ":00:11:22:33", sha256, sha256 + ":" + md5,
                           sha256 + ":" + sha256, md5 + "|" + sha256}) {
    INFO(good);
    CHECK(fault(Level::Fingerprint, good).empty());
  }
  for (const auto& bad :
       {std::string("a.test"), md5 + ":00", md5 + "|", "|" + md5, md5 + ":", md5.substr(1),
        md5 + "," + md5, "G" + md5.substr(1), std::string("C92300112233445566778899aabbccdd")}) {
    INFO(bad);
    CHECK(has(fault(Level::Fingerprint, bad), "match has \""));
  }
}

TEST_CASE("a value of 4096 bytes is the longest") {
  auto profile = profile_at(Level::Secure);
  profile.tafile = "/" + std::string(4095, 'a');
  CHECK_FALSE(find_policy_fault(profile, {}));
  profile.tafile += 'a';
  CHECK(find_policy_fault(profile, {}) == "tafile is 4097 bytes long; at most 4096 are allowed");
  CHECK(has(find_policy_fault(profile_at(Level::Secure), std::string(1'000'000, 'a')).value_or(""),
            "match is 1000000 bytes long"));
}

TEST_CASE("a NUL in a value is a fault, wherever it stands") {
  auto profile = profile_at(Level::Secure);
  CHECK(find_policy_fault(profile, std::string_view("a.test\0", 7)));
  profile.exclude = std::string("MD5\0", 4);
  CHECK(find_policy_fault(profile, {}));
}
