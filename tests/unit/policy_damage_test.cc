// policy.db as the daemon sees it: rows that no rule let in, locks, and damage to the file.
#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "src/image/reader.h"
#include "src/store/policy_db.h"
#include "src/store/policy_source.h"
#include "tests/unit/catch.h"
#include "tests/unit/policy_source_rig.h"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using test::Compiled;
using test::Holder;
using test::overwrite;
using test::read_bytes;
using test::shell;
using test::Trouble;
using test::Watched;

TEST_CASE("a row that no rule let in answers TEMP under its name, and spoils no other") {
  struct Case {
    std::string values;
    std::string why;
  };
  const auto bad = GENERATE(values<Case>({
      {"'bad.example', 'requierd', NULL, 'enforce', NULL", "profile \"requierd\" does not exist"},
      {"'bad.example', NULL, NULL, 'enforce', NULL", "profile \"\" does not exist"},
      {"'bad.example', 'pinned', NULL, 'enforce', NULL", "needs the pins"},
      {"'bad.example', 'required', 'x', 'enforce', NULL", "match has a meaning at"},
      {"'bad.example', 'secure', 'wrong', 'enforce', NULL", "Postfix refuses match=wrong"},
      {"'bad.example', 'secure', hex(zeroblob(1000000)), 'enforce', NULL", "2000000 bytes"},
      {"'bad.example', 'required', NULL, 'on', NULL", "allowed are enforce, observe"},
      {"'bad.example', 'required', NULL, NULL, NULL", "allowed are enforce, observe"},
      {"'bad.example', 'required', NULL, 'enforce', 0", "expires_at is \"0\""},
      {"'bad.example', 'required', NULL, 'enforce', 9e15", "expires_at is"},
      {"'bad.example ', 'required', NULL, 'enforce', NULL", "no destination"},
  }));
  Watched db;
  db.insert("a.example");
  db.insert("z.example");
  REQUIRE(db.force("INSERT INTO outbound(destination, profile, match, mode, expires_at) VALUES(" +
                   bad.values + ")")
              .empty());
  const auto policy = db.policy();
  CHECK_THAT(policy, StartsWith("a.example=required bad.example!table outbound, destination"));
  CHECK_THAT(policy, EndsWith("z.example=required"));
  CHECK_THAT(policy, ContainsSubstring(bad.why));
  REQUIRE(db.compiled.faults.size() == 1);
  CHECK(db.compiled.fault_count == 1);
  CHECK(db.compiled.faults.front().key == "bad.example");
  CHECK_THAT(db.compiled.faults.front().why, ContainsSubstring(bad.why));
  REQUIRE(db.edit("DELETE FROM outbound WHERE destination LIKE 'bad%'").empty());
  CHECK(db.policy() == "a.example=required z.example=required");
  CHECK(db.compiled.fault_count == 0);
}

TEST_CASE("a row at fault that only observes, or has expired, holds no mail back") {
  struct Case {
    std::string values;
    model::RowMode mode;
    std::int64_t expires_at;
  };
  using model::RowMode;
  const auto bad = GENERATE(values<Case>({
      {"'bad.example', 'nosuch', NULL, 'observe', NULL", RowMode::Observe, 0},
      {"'bad.example', 'required', 'x', 'observe', 5", RowMode::Observe, 5},
      {"'bad.example', 'nosuch', NULL, 'enforce', 1000000000", RowMode::Enforce, 1'000'000'000},
      {"'BAD.example', 'nosuch', NULL, 'observe', 7", RowMode::Observe, 7},
      // What can't be read is taken for what holds.
      {"'bad.example', 'nosuch', NULL, 'on', 7", RowMode::Enforce, 7},
      {"'bad.example', 'nosuch', NULL, 'observe', -1", RowMode::Observe, 0},
      {"'bad.example', 'required', NULL, 'enforce', -1", RowMode::Enforce, 0},
      {"'bad.example ', 'required', NULL, 'observe', 7", RowMode::Observe, 7},
      {"'Bad.example', 'off', NULL, 'observe', 7), ('bAd.example', 'off', NULL, 'enforce', NULL",
       RowMode::Enforce, 0},
      {"'Bad.example', 'off', NULL, 'observe', 7), ('bad.example', 'off', NULL, 'enforce', NULL",
       RowMode::Enforce, 0},
  }));
  INFO(bad.values);
  Watched db;
  REQUIRE(db.force("INSERT INTO outbound(destination, profile, match, mode, expires_at) VALUES(" +
                   bad.values + ")")
              .empty());
  CHECK_THAT(db.policy(), StartsWith("bad.example!"));
  const auto image = image::Image::map(db.compiled.image.get(), image::Image::Checksum::Now);
  const auto row = (*image)->find("bad.example");
  REQUIRE(row);
  CHECK(row->mode == bad.mode);
  CHECK(row->expires_at == bad.expires_at);
}

TEST_CASE("a row in another spelling is folded into place") {
  Watched db;
  for (const auto* name : {"aa.example", "m.example", "xn--zz.example"}) db.insert(name);
  REQUIRE(db.force("INSERT INTO outbound(destination, profile) VALUES('MM.Example', 'off'), "
                   "('b\xc3\xbc"
                   "cher.example', 'dane'), ('AB.example.', 'secure')")
              .empty());
  CHECK(db.policy() ==
        "aa.example=required ab.example=secure m.example=required mm.example=off "
        "xn--bcher-kva.example=dane xn--zz.example=required");
  CHECK(db.compiled.fault_count == 0);
}

TEST_CASE("two spellings of one destination are a fault of that name") {
  Watched db;
  db.insert("a.example");
  db.insert("b.example");
  REQUIRE(db.force("INSERT INTO outbound(destination, profile) VALUES('A.example', 'off'), "
                   "('C.example', 'off'), ('c.Example', 'off'), ('', 'off')")
              .empty());
  const auto policy = db.policy();
  CHECK_THAT(policy, StartsWith("a.example!"));
  CHECK_THAT(policy, ContainsSubstring("b.example=required c.example!"));
  // The one without a name can only be listed.
  CHECK(db.compiled.fault_count == 3);
}

TEST_CASE("a fault in what holds for a class of names, or in a profile, refuses everything") {
  struct Case {
    std::string sql;
    std::string why;
  };
  const std::string row = "INSERT INTO outbound(destination, profile) VALUES";
  const auto bad = GENERATE_COPY(values<Case>({
      {row + "('*', 'nosuch')", "destination \"*\": profile \"nosuch\""},
      {row + "('[*]', 'nosuch')", "destination \"[*]\""},
      {row + "('.com', 'nosuch')", "destination \".com\""},
      {row + "('.com', 'off'), ('.COM', 'off')", "destination \".com\""},
      {"UPDATE profile SET level = 'encrpyt' WHERE name = 'dane'", "level is \"encrpyt\""},
      {"UPDATE profile SET level = NULL WHERE name = 'dane'", "level is NULL"},
      {"UPDATE profile SET fallback = 'native' WHERE name = 'secure'", "fallback native needs"},
      {"UPDATE profile SET attempts = 101 WHERE name = 'dane'", "1 to 100 is allowed"},
      {"UPDATE profile SET exclude = 'WRONG' WHERE name = 'dane'", "Postfix refuses exclude"},
      {"UPDATE profile SET connection_reuse = 'oui' WHERE name = 'dane'", "yes, no"},
      {"DELETE FROM profile", "table profile is empty"},
      {"UPDATE profile SET name = 'a b' WHERE name = 'dane'", "a profile name is"},
  }));
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  REQUIRE(db.force(bad.sql).empty());
  CHECK_THAT(db.trouble(), ContainsSubstring("refused: ") && ContainsSubstring(bad.why));
  CHECK(db.trouble() == "unchanged");
}

TEST_CASE("a rollback journal works, with a warning, until a transaction keeps readers out") {
  Watched db;
  db.insert("a.example");
  CHECK(db.edit("PRAGMA journal_mode=DELETE") == "delete");
  CHECK(db.policy() == "a.example=required");
  REQUIRE(db.compiled.warnings.size() == 1);
  CHECK_THAT(db.compiled.warnings.front(), ContainsSubstring("journal_mode=WAL"));
  db.insert("b.example");
  Holder holder(db, "BEGIN EXCLUSIVE;", "ROLLBACK;");
  CHECK_THAT(db.trouble(), ContainsSubstring("not-wal: "));
  CHECK(db.trouble() == "unchanged");
  holder.let_go();
  CHECK(db.policy() == "a.example=required b.example=required");
}

TEST_CASE("an exclusive lock on a WAL database is trouble, and over when it is") {
  Watched db;
  db.insert("a.example");
  Holder holder(db,
                "PRAGMA locking_mode=EXCLUSIVE; INSERT INTO outbound(destination, profile) "
                "VALUES('b.example', 'off');",
                "");
  CHECK_THAT(db.trouble(), ContainsSubstring("locked: "));
  CHECK(db.trouble() == "unchanged");
  holder.let_go();
  CHECK(db.policy() == "a.example=required b.example=off");
}

TEST_CASE("commits that were deleted with the -wal are missed, and don't make an older policy") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  auto tool = store::PolicyDb::open(db.file, store::PolicyDb::Access::ReadWrite);
  store::OutboundRow row;
  row.destination = "b.example";
  row.profile = "secure";
  REQUIRE(tool->set_outbound(row).ok());
  CHECK(db.policy() == "a.example=required b.example=secure");
  std::filesystem::remove(db.file + "-wal");
  SECTION("with the -shm left") {}
  SECTION("with the -shm gone as well") {
    std::filesystem::remove(db.file + "-shm");
  }
  CHECK_THAT(db.trouble(), ContainsSubstring("wal-lost: "));
  CHECK(db.trouble() == "unchanged");
  // As its text says.
  REQUIRE(std::system(("touch '" + db.file + "'").c_str()) == 0);
  CHECK(db.policy() == "a.example=required");
}

TEST_CASE("damage to the pages is found before anything is published") {
  Watched db;
  std::filesystem::rename(db.prepare("big.db", 2000), db.file);
  REQUIRE(db.edit("DELETE FROM change_log; VACUUM;").empty());
  constexpr std::size_t kPage = 4096;
  const auto pages = std::filesystem::file_size(db.file) / kPage;
  // Root, and with 2000 rows a leaf or two of outbound.
  const auto leaves = shell(db.file,
                            "SELECT group_concat(pageno) FROM dbstat WHERE name = 'outbound'"
                            " AND pagetype = 'leaf'");
  const auto first = std::stoul(leaves);
  const auto second = std::stoul(leaves.substr(leaves.find(',') + 1));
  REQUIRE((first > 0 && second > first && pages > second));
  CHECK_THAT(db.policy(), StartsWith("d00001.example"));
  const auto page = [&db](std::size_t number) {
    return read_bytes(db.file, (number - 1) * kPage, kPage);
  };
  SECTION("zeroed") {
    overwrite(db.file, (first - 1) * kPage, std::string(kPage, '\0'));
  }
  SECTION("swapped") {
    const auto one = page(first);
    overwrite(db.file, (first - 1) * kPage, page(second));
    overwrite(db.file, (second - 1) * kPage, one);
  }
  SECTION("root and leaf swapped, each a tree by itself") {
    const auto root =
        std::stoul(shell(db.file, "SELECT rootpage FROM sqlite_schema WHERE name = 'outbound'"));
    const auto top = page(root);
    overwrite(db.file, (root - 1) * kPage, page(first));
    overwrite(db.file, (first - 1) * kPage, top);
  }
  // Nothing that reading the rows would show, but a page that was not written like this.
  SECTION("free space miscounted") {
    overwrite(db.file, (first - 1) * kPage + 7, "\x3b");
  }
  SECTION("doubled") {
    overwrite(db.file, (second - 1) * kPage, page(first));
  }
  SECTION("cut off") {
    std::filesystem::resize_file(db.file, (pages / 2) * kPage);
  }
  SECTION("cut off within a page") {
    std::filesystem::resize_file(db.file, std::filesystem::file_size(db.file) - 100);
  }
  SECTION("schema overwritten") {
    overwrite(db.file, 100, std::string(kPage - 100, 'x'));
  }
  CHECK_THAT(db.trouble(), ContainsSubstring("corrupt: "));
  std::filesystem::rename(db.prepare("good.db", 3), db.file);
  CHECK_THAT(db.policy(), StartsWith("d00001.example"));
}

TEST_CASE("a copy over the file in place is noticed") {
  Watched db;
  db.insert("a.example");
  CHECK(db.policy() == "a.example=required");
  const auto other = db.prepare("other.db", 3);
  std::filesystem::copy_file(other, db.file, std::filesystem::copy_options::overwrite_existing);
  CHECK(db.policy() == "d00001.example=secure d00002.example=secure d00003.example=secure");
}

TEST_CASE("a file that may not be read is trouble, not a crash") {
  Watched db;
  if (::geteuid() == 0) return;  // root reads everything
  std::filesystem::permissions(db.file, std::filesystem::perms::none);
  CHECK_THAT(db.trouble(), ContainsSubstring("unreadable: "));
}

TEST_CASE("all faults are counted, and a thousand listed") {
  Watched db;
  REQUIRE(
      db.force("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i < 5000) "
               "INSERT INTO outbound(destination, profile) SELECT 'd'||i||'.example', 'x' FROM n")
          .empty());
  db.policy();
  CHECK(db.compiled.fault_count == 5000);
  CHECK(db.compiled.faults.size() == store::kMostFaultsListed);
}
