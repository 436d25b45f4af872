// policy.db as the daemon sees it: edits, replacements and damage, and what becomes of each.
#include "src/store/policy_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "src/image/reader.h"
#include "src/store/policy_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using store::Compiled;
using store::Trouble;
using test::shell;

namespace {

// Stands for Postfix's grammar: knows one wrong word.
std::optional<std::string> postfix_says(const model::Profile& profile, std::string_view match) {
  if (profile.exclude == "WRONG") return "Postfix refuses exclude=WRONG";
  if (match == "wrong") return "Postfix refuses match=wrong";
  return std::nullopt;
}

class Watched {
 public:
  Watched() { REQUIRE(store::PolicyDb::init(file).ok()); }

  std::string edit(const std::string& sql) { return shell(file, sql); }
  // An edit past every rule, as by a tool that knows none.
  std::string force(const std::string& sql) {
    return edit(
        ".once /dev/null\n.dbconfig enable_trigger off\nPRAGMA ignore_check_constraints=ON;" + sql);
  }
  void insert(const std::string& destination, const std::string& profile = "required") {
    REQUIRE(edit(fmt::format("INSERT INTO outbound(destination, profile) VALUES('{}', '{}')",
                             destination, profile))
                .empty());
  }
  // Another database, with so many rows.
  std::string prepare(const std::string& name, int rows, const std::string& profile = "secure") {
    const auto other = folder.path(name);
    REQUIRE(store::PolicyDb::init(other).ok());
    REQUIRE(
        shell(other, fmt::format("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
                                 "WHERE i < {}) INSERT INTO outbound(destination, profile) "
                                 "SELECT format('d%05d.example', i), '{}' FROM n",
                                 rows, profile))
            .empty());
    return other;
  }

  std::variant<store::Unchanged, Compiled, Trouble> poll() {
    now += std::chrono::seconds{100};
    return source.poll(now);
  }
  // Polls for a policy and says what is in it: "destination=profile" or "destination!fault".
  std::string policy() {
    auto outcome = poll();
    if (const auto* trouble = std::get_if<Trouble>(&outcome)) return "trouble " + trouble->text;
    if (std::holds_alternative<store::Unchanged>(outcome)) return "unchanged";
    compiled = std::move(std::get<Compiled>(outcome));
    const auto image = image::Image::map(compiled.image.get(), image::Image::Checksum::Now);
    REQUIRE(image.ok());
    std::string text;
    (*image)->for_each_row([&text](const model::PolicyRow& row) {
      if (!text.empty()) text += ' ';
      text += row.destination;
      text += row.fault.empty() ? "=" + row.profile->name : "!" + std::string(row.fault);
      return true;
    });
    return text;
  }
  // Polls for trouble; "code: text".
  std::string trouble() {
    auto outcome = poll();
    if (const auto* found = std::get_if<Trouble>(&outcome)) return found->code + ": " + found->text;
    return std::holds_alternative<Compiled>(outcome) ? "compiled" : "unchanged";
  }

  test::Folder folder;
  std::string file = folder.path("policy.db");
  base::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  store::PolicySource source{file, postfix_says};
  Compiled compiled;
};

// A shell that has run some SQL, and holds what it locked until it is let go.
class Holder {
 public:
  Holder(const Watched& db, const std::string& begin, const std::string& end)
      : file_(db.file), fifo_(db.folder.path("fifo")) {
    const auto ready = db.folder.path("ready");
    REQUIRE(std::system(fmt::format("mkfifo '{}' '{}'", fifo_, ready).c_str()) == 0);
    const auto script = db.folder.path("held.script");
    std::ofstream(script) << fmt::format(
        "{}\n.shell echo > '{}'\n.shell cat '{}' > /dev/null\n{}\n", begin, ready, fifo_, end);
    const auto command = fmt::format("sqlite3 -batch '{}' < '{}' > /dev/null &", db.file, script);
    REQUIRE(std::system(command.c_str()) == 0);
    std::string line;
    std::getline(std::ifstream(ready), line);
  }
  ~Holder() { let_go(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  // Returns when the other has ended its transaction.
  void let_go() {
    if (is_let_go_) return;
    is_let_go_ = true;
    std::ofstream(fifo_) << "go\n";
    CHECK(shell(file_, ".timeout 10000\nBEGIN IMMEDIATE; ROLLBACK;").empty());
  }

 private:
  std::string file_;
  std::string fifo_;
  bool is_let_go_ = false;
};

void overwrite(const std::string& file, std::size_t offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
}

std::string read_bytes(const std::string& file, std::size_t offset, std::size_t size) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  return bytes;
}

}  // namespace

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
  CHECK_THAT(db.trouble(), Contains("missing: ") && Contains("tlspolicyctl init"));
  CHECK(db.trouble() == "unchanged");
  CHECK_FALSE(std::filesystem::exists(db.file));
  std::ofstream(db.file).flush();
  CHECK_THAT(db.trouble(), Contains("empty: "));
  std::ofstream(db.file) << "no database, but a text of some length";
  CHECK_THAT(db.trouble(), Contains("corrupt: ") && Contains("not an SQLite database"));
  std::filesystem::remove(db.file);
  std::filesystem::create_directory(db.file);
  CHECK_THAT(db.trouble(), Contains("unreadable: "));
  std::filesystem::remove(db.file);
  shell(db.file, "CREATE TABLE t(a)");
  CHECK_THAT(db.trouble(), Contains("not-ours: "));
  // Back again with the content of before: the trouble is over, and that is said.
  std::filesystem::rename(db.file + ".away", db.file);
  CHECK(db.policy().empty());
}

TEST_CASE("schemas of other versions name both numbers") {
  Watched db;
  CHECK(db.edit("PRAGMA user_version=99").empty());
  CHECK_THAT(db.trouble(), Contains("schema-newer: ") && Contains("schema 99") && Contains("to 1"));
  CHECK(db.edit("PRAGMA user_version=0").empty());
  CHECK_THAT(db.trouble(), Contains("schema-older: ") && Contains("tlspolicyctl upgrade"));
  CHECK(db.edit("PRAGMA user_version=1; PRAGMA application_id=7").empty());
  CHECK_THAT(db.trouble(), Contains("not-ours: "));
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
  CHECK_THAT(db.trouble(), Contains("hostile-schema: "));
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
  CHECK_THAT(policy, Contains(bad.why));
  REQUIRE(db.compiled.faults.size() == 1);
  CHECK(db.compiled.fault_count == 1);
  CHECK(db.compiled.faults.front().key == "bad.example");
  CHECK_THAT(db.compiled.faults.front().why, Contains(bad.why));
  REQUIRE(db.edit("DELETE FROM outbound WHERE destination LIKE 'bad%'").empty());
  CHECK(db.policy() == "a.example=required z.example=required");
  CHECK(db.compiled.fault_count == 0);
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
  CHECK_THAT(policy, Contains("b.example=required c.example!"));
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
  CHECK_THAT(db.trouble(), Contains("refused: ") && Contains(bad.why));
  CHECK(db.trouble() == "unchanged");
}

TEST_CASE("a rollback journal works, with a warning, until a transaction keeps readers out") {
  Watched db;
  db.insert("a.example");
  CHECK(db.edit("PRAGMA journal_mode=DELETE") == "delete");
  CHECK(db.policy() == "a.example=required");
  REQUIRE(db.compiled.warnings.size() == 1);
  CHECK_THAT(db.compiled.warnings.front(), Contains("journal_mode=WAL"));
  db.insert("b.example");
  Holder holder(db, "BEGIN EXCLUSIVE;", "ROLLBACK;");
  CHECK_THAT(db.trouble(), Contains("not-wal: "));
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
  CHECK_THAT(db.trouble(), Contains("locked: "));
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
  CHECK_THAT(db.trouble(), Contains("wal-lost: "));
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
  CHECK_THAT(db.trouble(), Contains("corrupt: "));
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
  CHECK_THAT(db.trouble(), Contains("unreadable: "));
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
