// policy.db as the daemon sees it: edits, replacements and schemas, and what becomes of each.
#include "src/store/policy_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "src/image/reader.h"
#include "src/store/policy_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/policy_source_rig.h"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using test::Compiled;
using test::Holder;
using test::overwrite;
using test::postfix_says;
using test::read_bytes;
using test::shell;
using test::Trouble;
using test::Watched;

TEST_CASE("a new database compiles to an empty policy, once") {
  Watched db;
  CHECK(db.policy().empty());
  CHECK(db.policy() == "unchanged");
  CHECK(db.policy() == "unchanged");
}

TEST_CASE("each edit of the shell becomes a policy, in order and complete") {
  Watched db;
  CHECK(db.policy().empty());
  db.insert("b.example");
  CHECK(db.policy() == "b.example=required");
  db.insert("a.example", "secure");
  db.insert("[mx.example]:25");
  db.insert(".a.example");
  CHECK(db.policy() ==
        ".a.example=required [mx.example]:25=required a.example=secure b.example=required");
  CHECK(db.edit("DELETE FROM outbound WHERE destination < 'b'").empty());
  CHECK(db.policy() == "b.example=required");
  CHECK(db.policy() == "unchanged");
}

TEST_CASE("what a row says comes through") {
  Watched db;
  CHECK(db.edit("INSERT INTO outbound(destination, profile, match, mode, expires_at) "
                "VALUES('a.example', 'pinned', '00:11', 'observe', 1900000000)")
            .empty());
  CHECK(db.policy() == "a.example=pinned");
  const auto image = image::Image::map(db.compiled.image.get(), image::Image::Checksum::Now);
  const auto row = (*image)->find("a.example");
  REQUIRE(row);
  CHECK(row->match == "00:11");
  CHECK(row->mode == model::RowMode::Observe);
  CHECK(row->expires_at == 1'900'000'000);
  CHECK(row->profile->level == model::Level::Fingerprint);
}

TEST_CASE("an uncommitted transaction is neither seen nor waited for") {
  Watched db;
  db.insert("a.example");
  Holder holder(db,
                "BEGIN IMMEDIATE; INSERT INTO outbound(destination, profile) "
                "VALUES('b.example', 'required');",
                "COMMIT;");
  CHECK(db.policy() == "a.example=required");
  CHECK(db.policy() == "unchanged");
  holder.let_go();
  CHECK(db.policy() == "a.example=required b.example=required");
}

TEST_CASE("a commit is seen while another program keeps the database open") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  auto tool = store::PolicyDb::open(db.file, store::PolicyDb::Access::ReadWrite);
  REQUIRE(tool.ok());
  store::OutboundRow row;
  row.destination = "b.example";
  row.profile = "off";
  REQUIRE(tool->set_outbound(row).ok());
  REQUIRE(std::filesystem::file_size(db.file + "-wal") > 0);
  CHECK(db.policy() == "a.example=required b.example=off");
  row.profile = "dane";
  REQUIRE(tool->set_outbound(row).ok());
  CHECK(db.policy() == "a.example=required b.example=dane");
  CHECK(db.policy() == "unchanged");
}

TEST_CASE("reading leaves no file beside the database") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  CHECK_FALSE(std::filesystem::exists(db.file + "-wal"));
  CHECK_FALSE(std::filesystem::exists(db.file + "-shm"));
}

TEST_CASE("a change that answers nothing differently is not a new policy") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  CHECK(db.edit("UPDATE outbound SET comment = 'x'").empty());
  CHECK(db.policy() == "unchanged");
  db.source.forget();
  CHECK(db.policy() == "a.example=required");
}

TEST_CASE("a file moved over the database is read") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  std::filesystem::rename(db.prepare("new.db", 2), db.file);
  CHECK(db.policy() == "d00001.example=secure d00002.example=secure");
  db.insert("c.example");
  CHECK(db.policy() == "c.example=required d00001.example=secure d00002.example=secure");
}

TEST_CASE("commits of the former file don't get into the one moved over it") {
  Watched db;
  db.insert("a.example");
  {
    auto tool = store::PolicyDb::open(db.file, store::PolicyDb::Access::ReadWrite);
    store::OutboundRow row;
    row.destination = "b.example";
    row.profile = "off";
    REQUIRE(tool->set_outbound(row).ok());
    CHECK(db.policy() == "a.example=required b.example=off");
    std::filesystem::rename(db.prepare("new.db", 2), db.file);
    CHECK(db.policy() == "d00001.example=secure d00002.example=secure");
    CHECK_FALSE(std::filesystem::exists(db.file + "-wal"));
  }
  CHECK(shell(db.file, "SELECT group_concat(destination) FROM outbound") ==
        "d00001.example,d00002.example");
}

TEST_CASE("a symbolic link is followed, and followed again when it points elsewhere") {
  Watched db;
  const auto one = db.prepare("one.db", 1);
  const auto two = db.prepare("two.db", 2, "off");
  const auto link = db.folder.path("link.db");
  std::filesystem::create_symlink(one, link);
  store::PolicySource source(link, postfix_says);
  auto outcome = source.poll(db.now);
  REQUIRE(std::holds_alternative<Compiled>(outcome));
  std::filesystem::remove(link);
  std::filesystem::create_symlink(two, link);
  outcome = source.poll(db.now);
  REQUIRE(std::holds_alternative<Compiled>(outcome));
}

TEST_CASE("a missing, empty or foreign file is named, and never made") {
  Watched db;
  CHECK(db.policy().empty());
  std::filesystem::rename(db.file, db.file + ".away");
  CHECK_THAT(db.trouble(),
             ContainsSubstring("missing: ") && ContainsSubstring("tlspolicyctl init"));
  CHECK(db.trouble() == "unchanged");
  CHECK_FALSE(std::filesystem::exists(db.file));
  std::ofstream(db.file).flush();
  CHECK_THAT(db.trouble(), ContainsSubstring("empty: "));
  std::ofstream(db.file) << "no database, but a text of some length";
  CHECK_THAT(db.trouble(),
             ContainsSubstring("corrupt: ") && ContainsSubstring("not an SQLite database"));
  std::filesystem::remove(db.file);
  std::filesystem::create_directory(db.file);
  CHECK_THAT(db.trouble(), ContainsSubstring("unreadable: "));
  std::filesystem::remove(db.file);
  shell(db.file, "CREATE TABLE t(a)");
  CHECK_THAT(db.trouble(), ContainsSubstring("not-ours: "));
  // Back again with the content of before: the trouble is over, and that is said.
  std::filesystem::rename(db.file + ".away", db.file);
  CHECK(db.policy().empty());
}

TEST_CASE("schemas of other versions name both numbers") {
  Watched db;
  CHECK(db.edit("PRAGMA user_version=99").empty());
  CHECK_THAT(db.trouble(), ContainsSubstring("schema-newer: ") && ContainsSubstring("schema 99") &&
                               ContainsSubstring("to 2"));
  CHECK(db.edit("PRAGMA user_version=0").empty());
  CHECK_THAT(db.trouble(),
             ContainsSubstring("schema-older: ") && ContainsSubstring("tlspolicyctl upgrade"));
  CHECK(db.edit("PRAGMA user_version=1; PRAGMA application_id=7").empty());
  CHECK_THAT(db.trouble(), ContainsSubstring("not-ours: "));
}

TEST_CASE("a schema that could do more than hold rows is refused") {
  Watched db;
  const auto sql = GENERATE(
      as<std::string>(), "CREATE TRIGGER t AFTER UPDATE ON outbound BEGIN DELETE FROM profile; END",
      "CREATE TRIGGER t BEFORE DELETE ON change_log BEGIN SELECT RAISE(IGNORE); END",
      "CREATE VIRTUAL TABLE v USING fts5(a)", "CREATE INDEX i ON outbound(lower(owner))",
      "CREATE INDEX i ON outbound(owner) WHERE hex(owner) = '41'",
      "DROP TRIGGER outbound_after_insert", "DROP TABLE destination_rule",
      "ALTER TABLE outbound ADD COLUMN x TEXT GENERATED ALWAYS AS (hex(owner))",
      "DROP TABLE outbound; CREATE VIEW outbound AS SELECT 1 AS destination",
      "DROP TABLE outbound; CREATE TABLE outbound(destination, profile, match, mode, expires_at)");
  INFO(sql);
  REQUIRE(db.edit(sql).empty());
  CHECK_THAT(db.trouble(), ContainsSubstring("hostile-schema: "));
}

TEST_CASE("the admin's own tables, views and plain indexes are his business") {
  Watched db;
  db.insert("a.example");
  CHECK(
      db.edit("CREATE TABLE customer(id INTEGER PRIMARY KEY, name); INSERT INTO customer VALUES(1,"
              "'x'); CREATE VIEW v AS SELECT * FROM outbound; CREATE INDEX i ON outbound(owner);"
              "CREATE TRIGGER t AFTER INSERT ON customer BEGIN DELETE FROM customer; END")
          .empty());
  CHECK(db.policy() == "a.example=required");
}

TEST_CASE("an index with every column doesn't change the order of reading") {
  Watched db;
  db.insert("b.example", "dane");
  db.insert("a.example", "secure");
  CHECK(db.edit("CREATE INDEX i ON outbound(profile, match, mode, expires_at, owner);"
                "CREATE INDEX j ON profile(level, name, fallback)")
            .empty());
  CHECK(db.policy() == "a.example=secure b.example=dane");
}
