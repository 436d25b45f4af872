// The tables inbound and submission, written with the sqlite3 shell and read as the daemon reads
// them.
#include <fmt/format.h>

#include "tests/unit/catch.h"
#include "tests/unit/policy_source_rig.h"

using Catch::Matchers::ContainsSubstring;
using test::Watched;

namespace {

std::vector<model::InboundRule> inbound_of(Watched& db) {
  static_cast<void>(db.policy());
  const auto image = image::Image::map(db.compiled.image.get(), image::Image::Checksum::Now);
  REQUIRE(image.ok());
  return (*image)->inbound_rules();
}

std::string insert(const std::string& columns, const std::string& values) {
  return fmt::format("INSERT INTO inbound({}) VALUES({})", columns, values);
}

// A file as the version before made it.
void take_back_to_step_1(Watched& db) {
  REQUIRE(db.edit("DROP TABLE inbound; DROP TABLE submission; PRAGMA user_version=1").empty());
}

}  // namespace

TEST_CASE("loopback is shipped as require none, and a new log is empty") {
  Watched db;
  CHECK(db.edit("SELECT id, client, sender IS NULL, require FROM inbound; "
                "SELECT count(*) FROM submission; SELECT count(*) FROM change_log") ==
        "1|127.0.0.0/8|1|none\n2|::1|1|none\n0\n0");
}

TEST_CASE("every form of client and sender is accepted, and is none to the reader either") {
  Watched db;
  const auto client = GENERATE(as<std::string>(), "192.0.2.1", "192.0.2.0/24", "0.0.0.0/0",
                               "255.255.255.255", "10.0.0.0/32", "2001:db8::1", "2001:db8::/32",
                               "::/0", "::ffff:192.0.2.1", "mx.example.com", "*.example.com",
                               "*.com", "mx_1.example.com", "localhost", "3com.com");
  INFO(client);
  CHECK(db.edit(insert("client, require", fmt::format("'{}', 'encrypt'", client))).empty());
  const auto rules = inbound_of(db);
  REQUIRE(rules.size() == 3);
  CHECK(rules[2].fault.empty());
  CHECK(rules[2].client == client);
  const auto sender = GENERATE(as<std::string>(), "user@example.com", "example.com", ".example.com",
                               "<>", "o'brien@example.com");
  INFO(sender);
  std::string quoted = sender;
  if (const auto at = quoted.find('\''); at != quoted.npos) quoted.insert(at, "'");
  CHECK(db.edit(insert("sender, on_violation", fmt::format("'{}', 'observe'", quoted))).empty());
  const auto more = inbound_of(db);
  REQUIRE(more.size() == 4);
  CHECK(more[3].fault.empty());
  CHECK(more[3].sender == sender);
}

TEST_CASE("a bad inbound row is refused with a sentence") {
  struct Case {
    std::string columns;
    std::string values;
    std::string sentence;
  };
  const auto bad = GENERATE(values<Case>({
      {"client", "''", "client must be as one of"},
      {"client", "'MX.example.com'", "lower case"},
      {"client", "'mx example'", "client must be as one of"},
      {"client", "'*'", "client must be as one of"},
      {"client", "'mx.*.com'", "client must be as one of"},
      {"client", "'.example.com'", "client must be as one of"},
      {"client", "'example..com'", "client must be as one of"},
      {"client", "'example.com/24'", "client must be as one of"},
      {"client", "'192.0.2'", "four numbers"},
      {"client", "'192.0.2.256'", "four numbers"},
      {"client", "'1.2.3.4.5'", "four numbers"},
      {"client", "'192.0.2.0/33'", "/0 to /32"},
      {"client", "'192.0.2.0/024'", "/0 to /32"},
      {"client", "'2001:db8::/129'", "/0 to /128"},
      {"client", "'2001:db8::g'", "hexadecimal"},
      {"sender", "'@example.com'", "sender must be as one of"},
      {"sender", "'user@'", "sender must be as one of"},
      {"sender", "'*'", "sender must be as one of"},
      {"sender", "'<user@example.com>'", "sender must be as one of"},
      {"sender", "'a@b@c'", "sender must be as one of"},
      {"sender", "'User@example.com'", "lower case"},
      {"sender",
       "'b\xc3\xbc"
       "cher.example'",
       "sender must be as one of"},
      {"require", "'tls'", "require must be none, encrypt or certificate"},
      {"require", "NULL", "require must be none, encrypt or certificate"},
      {"on_violation", "'drop'", "reject, defer, tag or observe"},
      {"on_violation", "NULL", "reject, defer, tag or observe"},
      {"sender, require", "'a.example', 'none'", "may only strengthen"},
      {"min_protocol", "'TLS1.2'", "TLSv1.2"},
      {"min_bits", "0", "min_bits must be 1 to 512"},
      {"client, require, min_bits", "'a.example', 'none', 128", "asks for no TLS"},
      {"ccert_name", "'a'", "need require certificate"},
      {"ccert_issuer", "'a'", "need require certificate"},
      {"ccert_fingerprint", "'SHA256:abcdef'", "hexadecimal"},
      {"ccert_fingerprint", "'ab:cd'", "hexadecimal"},
      {"learn_count", "0", "learn_count must be 1"},
      {"text", "''", "text must be"},
      {"text", "'cost: 5 $'", "its variables are $sender_domain, $client, $required, $got"},
      {"text", "'$sender'", "its variables are"},
      {"text", "'$clients'", "its variables are"},
      {"text", "'gr\xc3\xbc\xc3\x9f'", "printable ASCII"},
      {"expires_at", "-1", "expires_at must be"},
      {"id", "0", "id must be"},
      {"comment", "'a' || char(10)", "control characters"},
      {"client", "'127.0.0.0/8'", "a rule for this client and sender already"},
  }));
  Watched db;
  INFO(bad.columns << " = " << bad.values);
  CHECK_THAT(db.edit(insert(bad.columns, bad.values)), ContainsSubstring(bad.sentence));
  CHECK(db.edit("SELECT count(*) FROM inbound; SELECT count(*) FROM change_log") == "2\n0");
}

TEST_CASE("all columns of a rule reach the image") {
  Watched db;
  CHECK(db.edit("INSERT INTO inbound VALUES(7, '192.0.2.0/24', 'bank.example', 'certificate', "
                "'TLSv1.2', 128, '*.bank.example', 'Bank CA', '" +
                std::string(64, 'a') +
                "', 'defer', 5, 'ask $client, $sender_domain: $required not $got', 'me', 'why', "
                "1900000000, 'c')")
            .empty());
  const auto rules = inbound_of(db);
  REQUIRE(rules.size() == 3);
  model::InboundRule wanted;
  wanted.id = 7;
  wanted.client = "192.0.2.0/24";
  wanted.sender = "bank.example";
  wanted.require = model::InboundRequire::Certificate;
  wanted.min_protocol = model::TlsVersion::Tls12;
  wanted.min_bits = 128;
  wanted.ccert_name = "*.bank.example";
  wanted.ccert_issuer = "Bank CA";
  wanted.ccert_fingerprint = std::string(64, 'a');
  wanted.on_violation = model::OnViolation::Defer;
  wanted.learn_count = 5;
  wanted.text = "ask $client, $sender_domain: $required not $got";
  wanted.expires_at = 1'900'000'000;
  CHECK(rules[2] == wanted);
}

TEST_CASE("a row past all rules stops its own rule only, and is listed") {
  Watched db;
  db.insert("a.example");
  CHECK(db.force("INSERT INTO inbound(id, client, require) VALUES(8, '192.0.2.0/24', 'tls'), "
                 "(9, '192.0.2.1/24', 'encrypt'), (10, '127.0.0.0/8', 'encrypt'), "
                 "(11, '198.51.100.1', 'encrypt'); INSERT INTO submission(sender, otherwise) "
                 "VALUES('a.example', 'x')")
            .empty());
  CHECK(db.policy() == "a.example=required");
  REQUIRE(db.compiled.faults.size() == 4);
  CHECK(db.compiled.faults[0].table_name == "inbound");
  CHECK(db.compiled.faults[0].key == "8");
  CHECK_THAT(db.compiled.faults[0].why, ContainsSubstring("require is \"tls\""));
  CHECK_THAT(db.compiled.faults[1].why, ContainsSubstring("is no network"));
  CHECK_THAT(db.compiled.faults[2].why, ContainsSubstring("the same as those of rule 1"));
  CHECK(db.compiled.faults[3].table_name == "submission");
  const auto image = image::Image::map(db.compiled.image.get(), image::Image::Checksum::Now);
  REQUIRE(image.ok());
  CHECK((*image)->inbound_rules().back().fault.empty());
  CHECK((*image)->submission_rules().size() == 1);
}

TEST_CASE("a change of rules alone is a new policy") {
  Watched db;
  CHECK(db.policy().empty());
  CHECK(db.edit(insert("client", "'192.0.2.1'")).empty());
  CHECK(db.policy().empty());
  CHECK(db.edit("INSERT INTO submission(sender) VALUES('boss@example.com')").empty());
  CHECK(db.policy().empty());
  CHECK(db.policy() == "unchanged");
}

TEST_CASE("a file of schema 1 serves as it did, and says what it lacks until it is upgraded") {
  Watched db;
  db.insert("a.example");
  take_back_to_step_1(db);
  CHECK(db.policy() == "a.example=required");
  REQUIRE(db.compiled.warnings.size() == 1);
  CHECK_THAT(db.compiled.warnings[0], ContainsSubstring("tlspolicyctl upgrade"));
  CHECK(
      db.edit("CREATE TRIGGER t AFTER UPDATE ON outbound BEGIN DELETE FROM profile; END").empty());
  CHECK_THAT(db.trouble(), ContainsSubstring("hostile-schema: "));
  CHECK(db.edit("DROP TRIGGER t").empty());
  const auto upgraded = store::PolicyDb::upgrade(db.file);
  REQUIRE(upgraded.ok());
  CHECK(upgraded->from == 1);
  CHECK(upgraded->to == 2);
  CHECK(db.policy() == "a.example=required");
  CHECK(db.compiled.warnings.empty());
  CHECK(inbound_of(db).size() == 2);
}

TEST_CASE("changes of both tables stand in the log, and are taken back") {
  Watched db;
  REQUIRE(db.edit(insert("client, require", "'192.0.2.1', 'encrypt'") +
                  "; UPDATE inbound SET require = 'none' WHERE id = 3; DELETE FROM inbound WHERE "
                  "id = 1; INSERT INTO submission(sender) VALUES('a.example')")
              .empty());
  CHECK(db.edit("SELECT table_name, key, op FROM change_log") ==
        "inbound|3|insert\ninbound|3|update\ninbound|1|delete\nsubmission|a.example|insert");
  auto opened = store::PolicyDb::open(db.file, store::PolicyDb::Access::ReadWrite);
  REQUIRE(opened.ok());
  for (const int seq : {4, 3, 2}) {
    const auto undone = opened->undo(seq);
    INFO((undone.ok() ? std::string() : undone.error()));
    CHECK(undone.ok());
  }
  CHECK(db.edit("SELECT id, client, require FROM inbound; SELECT count(*) FROM submission") ==
        "1|127.0.0.0/8|none\n2|::1|none\n3|192.0.2.1|encrypt\n0");
}

TEST_CASE("a bad submission row is refused with a sentence") {
  struct Case {
    std::string columns;
    std::string values;
    std::string sentence;
  };
  const auto bad = GENERATE(values<Case>({
      {"sender", "NULL", "submission.sender"},
      {"sender", "'A.example'", "lower case"},
      {"sender", "'a b'", "sender must be as one of"},
      {"sender, require", "'a.example', 'certificate'", "encrypt or verify"},
      {"sender, otherwise", "'a.example', 'tag'", "reject, defer, hold, warn or observe"},
      {"sender, min_protocol", "'a.example', '1.2'", "TLSv1.2"},
      {"sender, text", "'a.example', '$me'", "its variables are"},
  }));
  Watched db;
  INFO(bad.columns << " = " << bad.values);
  CHECK_THAT(db.edit(fmt::format("INSERT INTO submission({}) VALUES({})", bad.columns, bad.values)),
             ContainsSubstring(bad.sentence));
  for (const auto* good : {"*", "alice", "alice@a.example", "a.example", ".a.example"}) {
    CHECK(db.edit(fmt::format("INSERT INTO submission(sender) VALUES('{}')", good)).empty());
  }
}
