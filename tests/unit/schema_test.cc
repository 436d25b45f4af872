// The rules that policy.db enforces whatever tool writes it; the sqlite3 shell is the tool here.
#include <fmt/format.h>

#include "src/model/next_hop.h"
#include "src/store/policy_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using Catch::Matchers::ContainsSubstring;
using test::shell;

namespace {

class NewDatabase {
 public:
  NewDatabase() { REQUIRE(store::PolicyDb::init(file).ok()); }
  std::string run(const std::string& sql) { return shell(file, sql); }

  test::Folder folder;
  std::string file = folder.path("policy.db");
};

std::string insert(const std::string& destination, const std::string& profile = "required") {
  return fmt::format("INSERT INTO outbound(destination, profile) VALUES('{}', '{}')", destination,
                     profile);
}

}  // namespace

TEST_CASE("a new database has the shipped profiles, which set level and fallback alone") {
  NewDatabase db;
  CHECK(db.run("SELECT name, level, fallback FROM profile ORDER BY name") ==
        "dane|dane|never\ndane-only|dane-only|never\nnative|may|native\noff|none|never\n"
        "opportunistic|may|after-retry\npinned|fingerprint|never\npreferred|may|unless-offered\n"
        "required|encrypt|never\nsecure|secure|never\nverified|verify|never");
  CHECK(db.run("SELECT count(*) FROM profile WHERE coalesce(first_contact, protocols, min_protocol,"
               " ciphers, exclude, tafile, servername, connection_reuse, enable_rpk, attempts,"
               " retry_after, failure_memory, downgrade_to, downgrade_for, downgrade_max,"
               " remember_for, reroute_to) IS NOT NULL OR comment IS NULL") == "0");
  CHECK(db.run("PRAGMA journal_mode; PRAGMA application_id; PRAGMA user_version") ==
        "wal\n1414288208\n2");
  CHECK(db.run("SELECT count(*) FROM change_log") == "0");
}

TEST_CASE("destination and profile are all that a row takes") {
  NewDatabase db;
  CHECK(db.run(insert("bank.example")).empty());
  CHECK(db.run("SELECT destination, profile, mode, expires_at IS NULL FROM outbound") ==
        "bank.example|required|enforce|1");
}

TEST_CASE("every destination in normal form is accepted") {
  NewDatabase db;
  const std::string label(63, 'a');
  const std::string longest =
      label + "." + label + "." + label + "." + std::string(57, 'a') + ".aaa";
  REQUIRE(longest.size() == model::kLongestDomain);
  const auto destination = GENERATE_COPY(
      as<std::string>(), "example.com", "com", ".example.com", ".com", "*", "[*]",
      "example.com:587", "example.com:submission", "[relay.example]", "[relay.example]:587",
      "[relay.example]:smtp", "[192.0.2.1]", "[192.0.2.1]:25", "[2001:db8::1]", "[2001:db8::1]:25",
      "[::]", "[::1]:65535", "[::ffff:192.0.2.1]", "_dmarc.example.com", "[mx_1.example]:25",
      "mx_1.example:25", "3com.com", "1.2.3.4.example", "xn--bcher-kva.example", "a--b.example",
      longest, "." + longest, "[" + longest + "]:submissionsssss");
  const auto parsed = model::parse_destination(destination);
  INFO(destination);
  REQUIRE(parsed.ok());
  REQUIRE(parsed->text == destination);
  CHECK(db.run(insert(destination)).empty());
}

TEST_CASE("a bad destination is refused with a sentence") {
  struct Case {
    std::string destination;
    std::string sentence;
  };
  // Nothing else is wrong with it.
  std::string too_long = "example";
  for (int label = 0; label < 4; ++label) too_long += "." + std::string(63, 'a');
  const auto bad = GENERATE_COPY(values<Case>({
      {too_long, "253 characters"},
      {"Bank.example", "lower case"},
      {"b\xc3\xbc"
       "cher.example",
       "A-label"},
      {"", "must be as one of"},
      {"bank example", "must be as one of"},
      {"user@bank.example", "must be as one of"},
      {"*.bank.example", "must be as one of"},
      {"[*]:25", "must be as one of"},
      {"**", "must be as one of"},
      {"[bank.example", "must be as one of"},
      {"bank.example]", "must be as one of"},
      {"[]", "must be as one of"},
      {"[a]b", "must be as one of"},
      {"[a]:25:26", "must be as one of"},
      {"[ipv6:2001:db8::1]", "must be as one of"},
      {"2001:db8::1", "must be as one of"},
      {"bank.example:", "must be as one of"},
      {":smtp", "must be as one of"},
      {".bank.example:25", "must be as one of"},
      {"192.0.2.1", "in brackets"},
      {"192.0.2.1:25", "in brackets"},
      {"12345", "in brackets"},
      {"bank..example", "empty labels"},
      {"bank.example.", "empty labels"},
      {".", "empty labels"},
      {"[.bank.example]", "empty labels"},
      {"-bank.example", "hyphen"},
      {"bank-.example", "hyphen"},
      {"bank.-example", "hyphen"},
      {"bank.example-", "hyphen"},
      {"[-bank.example]", "hyphen"},
      {"bank.example:0", "port"},
      {"bank.example:025", "port"},
      {"bank.example:65536", "port"},
      {"bank.example:70000", "port"},
      {"[bank.example]:123456", "port"},
      {"bank.example:a_b", "port"},
      {std::string(64, 'a') + ".example", "63 characters"},
      {std::string(300, 'a') + ".example", "characters"},
  }));
  NewDatabase db;
  INFO(bad.destination);
  const auto parsed = model::parse_destination(bad.destination);
  CHECK_FALSE((parsed && parsed->text == bad.destination));
  CHECK_THAT(db.run(insert(bad.destination)), ContainsSubstring(bad.sentence));
  CHECK(db.run("SELECT count(*) FROM outbound") == "0");
  // Renaming a good row is no way around the rule.
  CHECK(db.run(insert("good.example")).empty());
  CHECK_FALSE(
      db.run(fmt::format("UPDATE outbound SET destination = '{}'", bad.destination)).empty());
}

TEST_CASE("a row must fit its profile") {
  NewDatabase db;
  CHECK_THAT(db.run(insert("bank.example", "requierd")), ContainsSubstring("no such profile"));
  CHECK_THAT(db.run(insert("bank.example", "pinned")),
             ContainsSubstring("needs the pins in match"));
  CHECK_THAT(db.run("INSERT INTO outbound(destination, profile, match) "
                    "VALUES('bank.example', 'required', 'bank.example')"),
             ContainsSubstring("match has a meaning at"));
  CHECK(db.run("INSERT INTO outbound(destination, profile, match) "
               "VALUES('bank.example', 'secure', '.bank.example')")
            .empty());
  CHECK_THAT(db.run("UPDATE outbound SET profile = 'required'"),
             ContainsSubstring("match has a meaning"));
  CHECK_THAT(db.run("UPDATE outbound SET profile = 'nosuch'"),
             ContainsSubstring("no such profile"));
  CHECK_THAT(db.run("UPDATE outbound SET profile = NULL"), ContainsSubstring("no such profile"));
  CHECK(db.run("UPDATE outbound SET profile = 'required', match = NULL").empty());
}

TEST_CASE("columns of a row are held to their range") {
  NewDatabase db;
  CHECK(db.run(insert("bank.example")).empty());
  const auto set = [&db](const std::string& what) { return db.run("UPDATE outbound SET " + what); };
  CHECK_THAT(set("mode = 'on'"), ContainsSubstring("mode must be enforce or observe"));
  CHECK_THAT(set("mode = NULL"), ContainsSubstring("mode must be enforce or observe"));
  CHECK_THAT(set("expires_at = 0"), ContainsSubstring("expires_at must be seconds"));
  CHECK_THAT(set("expires_at = 1795300000000"), ContainsSubstring("expires_at must be seconds"));
  CHECK_THAT(set("expires_at = 'tomorrow'"),
             ContainsSubstring("cannot store TEXT value in INTEGER column"));
  CHECK_THAT(set("profile = 'secure', match = 'a b'"), ContainsSubstring("match must be"));
  CHECK_THAT(set("profile = 'secure', match = ''"), ContainsSubstring("match must be"));
  CHECK_THAT(set("profile = 'secure', match = hex(zeroblob(2049))"),
             ContainsSubstring("match must be"));
  CHECK_THAT(set("reason = 'two' || char(10) || 'lines'"), ContainsSubstring("reason must be"));
  CHECK_THAT(set("owner = ''"), ContainsSubstring("owner must be"));
  CHECK_THAT(set("comment = hex(zeroblob(501))"), ContainsSubstring("comment must be"));
  CHECK(set("mode = 'observe', expires_at = 1795300000, reason = 'Gru\xc3\xbc\xc3\x9f' "
            ", owner = 'postmaster', comment = hex(zeroblob(500))")
            .empty());
}

TEST_CASE("a profile that rows use can't be deleted, renamed, or changed under their match") {
  NewDatabase db;
  CHECK(db.run(insert("bank.example")).empty());
  CHECK(db.run("INSERT INTO outbound(destination, profile, match) "
               "VALUES('pin.example', 'pinned', '00:11')")
            .empty());
  CHECK_THAT(db.run("DELETE FROM profile WHERE name = 'required'"),
             ContainsSubstring("give them another"));
  CHECK_THAT(db.run("UPDATE profile SET name = 'must' WHERE name = 'required'"),
             ContainsSubstring("insert it under the new name"));
  CHECK_THAT(db.run("UPDATE profile SET level = 'fingerprint' WHERE name = 'required'"),
             ContainsSubstring("needs a match"));
  CHECK_THAT(db.run("UPDATE profile SET level = 'encrypt' WHERE name = 'pinned'"),
             ContainsSubstring("no use for"));
  CHECK_THAT(db.run("INSERT OR REPLACE INTO profile(name, level) VALUES('pinned', 'encrypt')"),
             ContainsSubstring("no use for"));
  CHECK(db.run("UPDATE profile SET level = 'verify' WHERE name = 'required'").empty());
  CHECK(
      db.run("INSERT OR REPLACE INTO profile(name, level) VALUES('required', 'encrypt')").empty());
  CHECK(db.run("DELETE FROM profile WHERE name = 'dane'").empty());
  CHECK(db.run("UPDATE profile SET name = 'opp' WHERE name = 'opportunistic'").empty());
}

TEST_CASE("the change log has what was before and after, whatever statement wrote it") {
  NewDatabase db;
  const std::string log =
      "SELECT op, key, json_extract(before, '$.profile'), json_extract(after, '$.profile'), "
      "at BETWEEN unixepoch() - 60 AND unixepoch() FROM change_log ORDER BY seq DESC LIMIT ";
  CHECK(db.run(insert("bank.example")).empty());
  CHECK(db.run(log + "1") == "insert|bank.example||required|1");
  CHECK(db.run("INSERT OR REPLACE INTO outbound(destination, profile) "
               "VALUES('bank.example', 'secure')")
            .empty());
  CHECK(db.run(log + "1") == "update|bank.example|required|secure|1");
  CHECK(db.run(insert("bank.example", "off") +
               " ON CONFLICT(destination) DO UPDATE SET profile = excluded.profile")
            .empty());
  CHECK(db.run(log + "1") == "update|bank.example|secure|off|1");
  CHECK(db.run("INSERT OR IGNORE INTO outbound(destination, profile) "
               "VALUES('bank.example', 'native')")
            .empty());
  CHECK(db.run("UPDATE outbound SET profile = 'off'").empty());
  CHECK(db.run("SELECT count(*) FROM change_log") == "3");
  CHECK(db.run("UPDATE outbound SET destination = 'new.example', profile = 'dane'").empty());
  CHECK(db.run(log + "2") == "insert|new.example||dane|1\ndelete|bank.example|off||1");
  CHECK(db.run("DELETE FROM outbound").empty());
  CHECK(db.run(log + "1") == "delete|new.example|dane||1");
  CHECK(db.run(insert("new.example")).empty());
  CHECK(db.run(log + "1") == "insert|new.example||required|1");
  CHECK(db.run("UPDATE profile SET attempts = 3 WHERE name = 'opportunistic'").empty());
  CHECK(db.run("SELECT table_name, key, json_extract(before, '$.attempts') IS NULL, "
               "json_extract(after, '$.attempts'), json_type(after, '$.comment') "
               "FROM change_log ORDER BY seq DESC LIMIT 1") == "profile|opportunistic|1|3|text");
  CHECK(db.run("SELECT count(*) FROM replaced_row") == "0");
}

TEST_CASE("recursive triggers make a REPLACE a deletion and an insertion in the log") {
  NewDatabase db;
  CHECK(db.run(insert("bank.example")).empty());
  CHECK(
      db.run("PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO outbound(destination, profile)"
             " VALUES('bank.example', 'secure')")
          .empty());
  CHECK(db.run("SELECT op FROM change_log WHERE seq > 1 ORDER BY seq") == "delete\ninsert");
}

TEST_CASE("UPDATE OR REPLACE doesn't swallow another row unseen") {
  NewDatabase db;
  CHECK(db.run(insert("a.example") + ";" + insert("b.example")).empty());
  CHECK_THAT(db.run("UPDATE OR REPLACE outbound SET destination = 'b.example' "
                    "WHERE destination = 'a.example'"),
             ContainsSubstring("exists already"));
  CHECK(db.run("SELECT count(*) FROM outbound") == "2");
}
