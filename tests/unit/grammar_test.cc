#include "tlsmap/grammar.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::PostfixVersion;
using tlsmap::find_objection;

namespace {

constexpr PostfixVersion kDebian12{3, 7, 11};
constexpr PostfixVersion kDebian13{3, 10, 13};
constexpr PostfixVersion kUnstable{3, 11, 7};

// The objection, or "" where the version delivers by the policy.
std::string objection(std::string_view text, const PostfixVersion& version) {
  return find_objection(text, version).value_or("");
}

struct Observed {
  std::string text;
  std::string by_3_7;    // the objection; "" where the mail went out, or failed only at the peer
  std::string by_newer;  // of 3.10.13 and 3.11.7; "=" for the same as 3.7
};

const std::string kStsUnknown = "invalid attribute name: \"policy_type\"";
const std::string kMatchUnsplit =
    "malformed attribute/value pair \"match\": missing '=' after attribute name";

}  // namespace

// OBSERVED section 6, row by row: what a real smtp(8) of these three versions was seen to do.
TEST_CASE("the model objects to what a real Postfix objected to, in its words") {
  const std::vector<Observed> table{
      {"strong", "invalid security level \"strong\"", "="},
      {"ENCRYPT", "", "="},
      {"", "returns an empty string result", "="},
      {"encrypt foo=bar", "invalid attribute name: \"foo\"", "="},
      {"secure match", kMatchUnsplit, "="},
      {"secure match=", "attribute \"match\" has empty value", "="},
      {"secure match = mx.good.test", kMatchUnsplit, "="},
      {"secure match=mx.good.test", "", "="},
      {"secure match=.good.test", "", "="},
      {"secure match=*.good.test", "", "="},
      {"secure match=no.test:mx.good.test", "", "="},
      {"secure match=no.test match=mx.good.test", "", "="},
      {"secure match=no.test", "", "="},
      {"secure match=nexthop", "", "="},
      {"secure match=dot-nexthop", "", "="},
      {"secure match=hostname", "", "="},
      {"encrypt match=mx.good.test", "attribute \"match\" invalid at security level \"encrypt\"",
       "="},
      {"may match=mx.good.test", "attribute \"match\" invalid at security level \"may\"", "="},
      {"secure match=mx.good.test servername=hostname", "", "="},
      {"secure match=mx.good.test servername=mail.good.test", "", "="},
      {"may servername=hostname", "", "="},
      {"encrypt protocols=>=TLSv1.3", "", "="},
      {"encrypt protocols=TLSv1.2", "", "="},
      {"encrypt protocols=TLSv9", "Invalid TLS protocol list \"TLSv9\"", "="},
      {"encrypt ciphers=high", "", "="},
      {"secure,match=mx.good.test", "", "="},
      {"secure\nmatch=mx.good.test  ", "", "="},
      {"secure\tmatch=mx.good.test  ", "", "="},
      {"encrypt\r\n", "", "="},
      // Sent by Postfix, which sees "encrypt"; we don't rely on it.
      {std::string("encrypt\0more", 12), "NUL in the text: Postfix would cut it there", "="},
      {"encrypt\xc3\xa9xx", "invalid security level \"encrypt??xx\"", "="},
      {"secure match=mx.good.test policy_type=sts policy_domain=good.test "
       "mx_host_pattern=mx.good.test { policy_string = version: STSv1 }",
       kStsUnknown, ""},
      {"secure match=mx.good.test policy_type=sts", kStsUnknown, ""},
      {"may policy_type=sts policy_domain=good.test", kStsUnknown, ""},
      {"may policy_type=no-policy-found", kStsUnknown, ""},
      {"secure match=mx.good.test policy_type=sts policy_domain=good.test "
       "policy_failure=sts-webpki-invalid",
       kStsUnknown, ""},
      {"secure match=mx.good.test policy_type=sts policy_domain=good.test policy_ttl=3600",
       kStsUnknown, ""},
      {"secure { match = mx.good.test }",
       "malformed attribute/value pair \"{\": missing '=' after attribute name", ""},
      {"encrypt connection_reuse=yes", "", "="},
      {"encrypt enable_rpk=yes", "invalid attribute name: \"enable_rpk\"", ""}};
  for (const auto& row : table) {
    INFO(row.text);
    const auto newer = row.by_newer == "=" ? row.by_3_7 : row.by_newer;
    CHECK(objection(row.text, kDebian12) == row.by_3_7);
    CHECK(objection(row.text, kDebian13) == newer);
    CHECK(objection(row.text, kUnstable) == newer);
    // The bare version of a map name is as strict as its latest release, but for the crash below.
    CHECK(objection(row.text, {3, 7, 0}) == row.by_3_7);
    CHECK(objection(row.text, {3, 11, 0}) == newer);
  }
}

TEST_CASE("each level is read in any case, by every version, and no other word is") {
  for (const auto& version : {PostfixVersion{3, 4, 0}, kDebian12, kUnstable}) {
    for (const std::string word : {"none", "may", "encrypt", "fingerprint", "dane", "dane-only",
                                   "verify", "secure", "None", "Dane-Only", "SECURE"}) {
      INFO(word);
      CHECK(objection(word, version).empty());
    }
    for (const std::string word :
         {"halfdane", "encryp", "encrypted", "notfound", "{encrypt}", "="}) {
      INFO(word);
      CHECK(objection(word, version) == "invalid security level \"" + word + "\"");
    }
  }
}

TEST_CASE("a policy without a level says so") {
  CHECK(objection("", kDebian12) == "returns an empty string result");
  CHECK(objection(" ", kDebian12) == "invalid empty policy");
  CHECK(objection(",\t\r\n", kDebian12) == "invalid empty policy");
  CHECK(objection("match=a.test secure", kDebian12) == "invalid security level \"match=a.test\"");
}

TEST_CASE("an attribute is unknown to every version before it came") {
  struct Since {
    std::string text;
    PostfixVersion last_without;
    PostfixVersion first_with;
  };
  const std::vector<Since> table{{"may servername=a.test", {3, 3, 99}, {3, 4, 0}},
                                 {"may connection_reuse=no", {3, 3, 99}, {3, 4, 14}},
                                 {"may connection_reuse=no", {3, 4, 13}, {3, 4, 14}},
                                 {"may connection_reuse=no", {3, 5, 0}, {3, 5, 4}},
                                 {"may connection_reuse=no", {3, 5, 3}, {3, 6, 0}},
                                 {"may enable_rpk=no", {3, 8, 9}, {3, 9, 0}},
                                 {"may policy_type=no-policy-found", {3, 9, 9}, {3, 10, 0}},
                                 {"secure { match = a.test }", {3, 9, 9}, {3, 10, 0}},
                                 {"may protocols=>=TLSv1.2", {3, 5, 25}, {3, 6, 0}},
                                 {"may protocols=!SSLv2:!TLSv1.3", {3, 3, 9}, {3, 4, 0}},
                                 {"secure tafile=/a.pem", {2, 10, 0}, {2, 11, 0}}};
  for (const auto& row : table) {
    INFO(row.text);
    CHECK_FALSE(objection(row.text, row.last_without).empty());
    CHECK(objection(row.text, row.first_with).empty());
  }
}

TEST_CASE("match is for fingerprint, verify and secure, tafile for verify and secure") {
  const std::vector<std::string> levels{"may",       "encrypt", "fingerprint", "dane",
                                        "dane-only", "verify",  "secure"};
  for (const auto& level : levels) {
    const bool is_match_fine = level == "fingerprint" || level == "verify" || level == "secure";
    const bool is_tafile_fine = level == "verify" || level == "secure";
    INFO(level);
    const auto at_level = " invalid at security level \"" + level + "\"";
    CHECK(objection(level + " match=a", kDebian12) ==
          (is_match_fine ? "" : "attribute \"match\"" + at_level));
    CHECK(objection(level + " tafile=/a", kDebian12) ==
          (is_tafile_fine ? "" : "attribute \"tafile\"" + at_level));
  }
}

TEST_CASE("at none Postfix warns of attributes and goes on") {
  CHECK(objection("none foo=bar match= {", kDebian12).empty());
}

TEST_CASE("what may be said once is refused twice, the rest adds up") {
  for (const std::string once : {"protocols=TLSv1.2", "protocols=", "ciphers=high",
                                 "exclude=", "servername=a.test", "policy_type=sts"}) {
    const auto name = once.substr(0, once.find('='));
    INFO(once);
    CHECK(objection("secure " + once + " " + once, kUnstable) ==
          "attribute \"" + name + "\" is specified multiple times");
  }
  for (const std::string often :
       {"match=a.test", "tafile=/a", "connection_reuse=yes", "enable_rpk=no"}) {
    INFO(often);
    CHECK(objection("secure " + often + " " + often, kUnstable).empty());
  }
}

TEST_CASE("an empty value is an error where Postfix says so, and fine elsewhere") {
  for (const std::string name : {"match", "tafile", "ciphers"}) {
    INFO(name);
    CHECK(objection("secure " + name + "=", kDebian12) ==
          "attribute \"" + name + "\" has empty value");
  }
  CHECK(objection("secure match=:", kDebian12) == "attribute \"match\" has empty value");
  CHECK(objection("fingerprint match=||", kDebian12) == "attribute \"match\" has empty value");
  CHECK(objection("may protocols= exclude=", kDebian12).empty());
  CHECK(objection("may servername=", kDebian12) == "\"servername=\" specifies an invalid hostname");
  CHECK(objection("may connection_reuse=", kDebian12) ==
        "attribute \"connection_reuse\" has bad value: \"\"");
}

TEST_CASE("names and yes or no are read in any case") {
  CHECK(objection("may PROTOCOLS=tlsv1.2 Connection_Reuse=YES Ciphers=HIGH", kDebian12).empty());
}

TEST_CASE("a protocol list that Postfix would stumble over in the handshake is refused before it") {
  for (const std::string good : {"TLSv1.2", "!SSLv2:!SSLv3", "TLSv1.2:TLSv1.3", ">=TLSv1.2",
                                 "<=TLSv1.2", ">=TLSv1:<=TLSv1.2", ">=TLSv1:!TLSv1.1", "tlsv1.3",
                                 ">=SSLv3", "::TLSv1.2:", "TLSv1.2:!TLSv1.3"}) {
    INFO(good);
    CHECK(objection("may protocols=" + good, kDebian12).empty());
  }
  for (const std::string bad : {"TLSv9", "TLSv1.2:foo", "!", ">=", ">=SSLv2", "> =TLSv1",
                                "=TLSv1.2", "!!TLSv1", ">=!TLSv1", "0303", "TLS1.2", "TLSv1.0"}) {
    INFO(bad);
    CHECK_FALSE(objection("may protocols=" + bad, kDebian12).empty());
  }
  for (const std::string none : {"SSLv2", "SSLv3", "!TLSv1:!TLSv1.1:!TLSv1.2:!TLSv1.3",
                                 ">=TLSv1.3:<=TLSv1.2", "TLSv1.2:!TLSv1.2", ">=TLSv1.3:!TLSv1.3"}) {
    INFO(none);
    CHECK(objection("may protocols=" + none, kDebian12) ==
          "TLS protocol list \"" + none + "\" leaves no version of TLS");
  }
}

TEST_CASE("cipher grades and exclusions that end a handshake are refused") {
  CHECK(objection("may ciphers=strong", kDebian12) == "invalid cipher grade: \"strong\"");
  CHECK(objection("may exclude=aNULL:MD5:kRSA+SHA1:ECDHE-RSA-AES128-SHA", kDebian12).empty());
  CHECK(objection("may exclude=aNULL:!MD5", kDebian12) == "invalid cipher exclusion: \"!MD5\"");
  CHECK(objection("may exclude=@STRENGTH", kDebian12) == "invalid cipher exclusion: \"@STRENGTH\"");
}

TEST_CASE("a servername is a host name as Postfix has it") {
  for (const std::string good : {"a", "a.test", "A-b.test", "_x.test", "1.test", "hostname",
                                 "nexthop", "xn--bcher-kva.test"}) {
    INFO(good);
    CHECK(objection("may servername=" + good, kDebian12).empty());
  }
  for (const std::string bad : {"a..test", ".a.test", "a.test.", "-a.test", "a-.test", "1.2.3.4",
                                "a:25", "[a]", "*.a.test"}) {
    INFO(bad);
    CHECK_FALSE(objection("may servername=" + bad, kDebian12).empty());
  }
  CHECK(objection("may servername=" + std::string(63, 'a'), kDebian12).empty());
  CHECK_FALSE(objection("may servername=" + std::string(64, 'a'), kDebian12).empty());
}

TEST_CASE("the TLSRPT attributes need a policy_type and values that Postfix knows") {
  const std::string built_in =
      "built-in policy has unexpected attribute policy_ttl, policy_domain, policy_string, "
      "mx_host_pattern or policy_failure";
  for (const std::string alone : {"policy_ttl=1", "policy_domain=a.test", "policy_string=x",
                                  "mx_host_pattern=a.test", "policy_failure=sts-policy-invalid"}) {
    INFO(alone);
    CHECK(objection("secure " + alone, kUnstable) == built_in);
    CHECK(objection("secure " + alone + " policy_type=sts", kUnstable).empty());
  }
  CHECK(objection("may policy_type=tlsa", kUnstable) ==
        "attribute \"policy_type\" has an unexpected value: \"tlsa\"");
  CHECK(objection("may policy_type=sts policy_failure=x", kUnstable) ==
        "attribute \"policy_failure\" has an unexpected value: \"x\"");
  CHECK(objection("may policy_type=sts policy_domain=a..b", kUnstable) ==
        "attribute \"policy_domain\" has a malformed value: \"a..b\"");
  for (const std::string ttl : {"", "-1", "1s", "99999999999"}) {
    CHECK(objection("may policy_type=sts policy_ttl=" + ttl, kUnstable) ==
          "attribute \"policy_ttl\" has a malformed value: \"" + ttl + "\"");
  }
}

TEST_CASE("policy_type=sts that would crash smtp(8) before 3.10.6 is refused there") {
  const std::string whole = "secure match=a.test policy_type=sts";
  for (const std::string& text :
       {whole, whole + " policy_string=x", whole + " mx_host_pattern=a.test"}) {
    INFO(text);
    CHECK_FALSE(objection(text, {3, 10, 0}).empty());
    CHECK_FALSE(objection(text, {3, 10, 5}).empty());
    CHECK(objection(text, {3, 10, 6}).empty());
    CHECK(objection(text, {3, 11, 0}).empty());
  }
  CHECK(objection(whole + " policy_string=x mx_host_pattern=a.test", {3, 10, 0}).empty());
  CHECK(objection("may policy_type=no-policy-found", {3, 10, 0}).empty());
}

TEST_CASE("pins that an MTA-STS pattern would replace are refused") {
  const std::string sts = " policy_type=sts policy_string=x mx_host_pattern=a.test";
  CHECK_FALSE(objection("fingerprint match=AA" + sts, kUnstable).empty());
  CHECK(objection("secure match=a.test" + sts, kUnstable).empty());
}

TEST_CASE("braces hold one attribute, from 3.10 on") {
  for (const std::string good :
       {"secure {match=a.test}", "secure{match=a.test}x",
        "secure { match = a.test },{ciphers=high}", "may policy_type=sts policy_string={a b}"}) {
    INFO(good);
    if (good.starts_with("secure{")) {
      CHECK(objection(good, kUnstable) == "invalid security level \"" + good + "\"");
    } else {
      CHECK(objection(good, kUnstable).empty());
    }
  }
  CHECK(objection("secure { match = a.test", kUnstable) ==
        "malformed attribute/value pair \"{ match = a.test\": missing '}'");
  CHECK(objection("secure {match=a.test}x", kUnstable) ==
        "malformed attribute/value pair \"{match=a.test}x\": syntax error after '}'");
  CHECK(objection("secure {}", kUnstable) ==
        "malformed attribute/value pair \"{}\": missing attribute name");
  CHECK(objection("secure {a b = c}", kUnstable) ==
        "malformed attribute/value pair \"{a b = c}\": missing '=' after attribute name");
  CHECK(objection("secure {{match=a.test}}", kUnstable) == "invalid attribute name: \"{match\"");
}

TEST_CASE("no control character and no byte outside ASCII may follow the level") {
  for (const std::string byte : {"\x01", "\x0b", "\x7f", "\xc3\xa9", "\xff"}) {
    CHECK(objection("secure match=a" + byte, kDebian12) ==
          "a control character or a byte outside ASCII in the text");
  }
}

TEST_CASE("a reply that Postfix would not read to its end is refused") {
  const std::string exact = "secure match=" + std::string(100'000 - 3 - 13, 'a');
  CHECK(objection(exact, kUnstable).empty());
  CHECK(objection(exact + "a", kUnstable) == "input exceeds size limit");
}
