// policy.db as the admin's tools edit it.
#include "src/store/policy_db.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "src/base/text.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using Catch::Matchers::ContainsSubstring;
using store::OutboundRow;
using store::PolicyDb;
using test::shell;

namespace {

class OpenDatabase {
 public:
  OpenDatabase() {
    REQUIRE(PolicyDb::init(file).ok());
    auto opened = PolicyDb::open(file, PolicyDb::Access::ReadWrite);
    REQUIRE(opened.ok());
    db.emplace(std::move(*opened));
  }
  void set(const std::string& destination, const std::string& profile) {
    OutboundRow row;
    row.destination = destination;
    row.profile = profile;
    REQUIRE(db->set_outbound(row).ok());
  }
  std::string profile_of(const std::string& destination) {
    const auto row = db->find_outbound(destination);
    REQUIRE(row.ok());
    return *row ? (*row)->profile : "-";
  }
  std::int64_t newest_change() {
    const auto changes = db->list_changes("", "", 1);
    REQUIRE(changes.ok());
    return changes->empty() ? 0 : changes->front().seq;
  }

  test::Folder folder;
  std::string file = folder.path("policy.db");
  std::optional<PolicyDb> db;
};

}  // namespace

TEST_CASE(
    "init makes a file for its group, leaves nothing beside it, and touches none that exists") {
  const test::Folder folder;
  const auto file = folder.path("policy.db");
  REQUIRE(PolicyDb::init(file).ok());
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0660U);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path("")), {}) == 1);

  const auto again = PolicyDb::init(file);
  REQUIRE_FALSE(again.ok());
  CHECK_THAT(again.error(), ContainsSubstring("exists already") && ContainsSubstring(file));
  CHECK_FALSE(PolicyDb::init(folder.path("nosuch/policy.db")).ok());
  // Commits of an earlier database would be replayed into a new one.
  std::ofstream(folder.path("other.db-wal")) << "x";
  CHECK_THAT(PolicyDb::init(folder.path("other.db")).error(), ContainsSubstring("other.db-wal"));
  CHECK_FALSE(std::filesystem::exists(folder.path("other.db")));
}

TEST_CASE("what isn't a policy database of this version is not opened") {
  const test::Folder folder;
  const auto file = folder.path("policy.db");
  const auto error = [&file] {
    const auto opened = PolicyDb::open(file, PolicyDb::Access::ReadWrite);
    return opened ? std::string() : opened.error();
  };
  CHECK_THAT(error(), ContainsSubstring("No such file"));
  CHECK_FALSE(std::filesystem::exists(file));
  std::ofstream(file).flush();
  CHECK_THAT(error(), ContainsSubstring("empty"));
  CHECK_FALSE(PolicyDb::upgrade(file).ok());
  CHECK(std::filesystem::file_size(file) == 0);
  std::ofstream(file) << std::string(5000, 'x');
  CHECK_THAT(error(), ContainsSubstring("not a database"));
  std::filesystem::remove(file);
  shell(file, "CREATE TABLE t(a)");
  CHECK_THAT(error(), ContainsSubstring("application_id is 0"));
  CHECK_FALSE(PolicyDb::upgrade(file).ok());
  std::filesystem::remove(file);
  REQUIRE(PolicyDb::init(file).ok());
  shell(file, "PRAGMA user_version=99");
  CHECK_THAT(error(), ContainsSubstring("schema 99") && ContainsSubstring("up to 2"));
  CHECK_THAT(PolicyDb::upgrade(file).error(), ContainsSubstring("schema 99"));
  shell(file, "PRAGMA user_version=0");
  CHECK_THAT(error(), ContainsSubstring("tlspolicyctl upgrade"));
  CHECK(shell(file, "PRAGMA user_version") == "0");
}

TEST_CASE("upgrade leaves a file of the newest schema as it is") {
  OpenDatabase test;
  const auto upgraded = PolicyDb::upgrade(test.file);
  REQUIRE(upgraded.ok());
  CHECK(upgraded->from == 2);
  CHECK(upgraded->to == 2);
}

TEST_CASE("a row comes back as it was set, and is replaced when set again") {
  OpenDatabase test;
  OutboundRow row;
  row.destination = "bank.example";
  row.profile = "secure";
  row.match = ".bank.example";
  row.mode = "observe";
  row.owner = "alice";
  row.reason = "contract 17; it's \"quoted\"";
  row.expires_at = 1'900'000'000;
  row.comment = "Gru\xc3\xbc\xc3\x9f";
  REQUIRE(test.db->set_outbound(row).ok());
  const auto found = test.db->find_outbound("bank.example");
  REQUIRE((found.ok() && found->has_value()));
  CHECK((*found)->match == row.match);
  CHECK((*found)->mode == row.mode);
  CHECK((*found)->owner == row.owner);
  CHECK((*found)->reason == row.reason);
  CHECK((*found)->expires_at == row.expires_at);
  CHECK((*found)->comment == row.comment);

  const auto change = test.newest_change();
  REQUIRE(test.db->set_outbound(row).ok());
  CHECK(test.newest_change() == change);
  test.set("bank.example", "required");
  const auto replaced = test.db->find_outbound("bank.example");
  CHECK((*replaced)->profile == "required");
  CHECK((*replaced)->match == std::nullopt);
  CHECK((*replaced)->expires_at == std::nullopt);
}

TEST_CASE("the database's own sentence is the error of a bad row") {
  OpenDatabase test;
  OutboundRow row;
  row.destination = "bank.example";
  row.profile = "requierd";
  const auto set = test.db->set_outbound(row);
  REQUIRE_FALSE(set.ok());
  CHECK_THAT(set.error(), ContainsSubstring("no such profile"));
  CHECK(test.profile_of("bank.example") == "-");
}

TEST_CASE("removing tells whether there was something to remove") {
  OpenDatabase test;
  test.set("bank.example", "required");
  CHECK(*test.db->remove_outbound("bank.example"));
  CHECK_FALSE(*test.db->remove_outbound("bank.example"));
  CHECK_FALSE(*test.db->remove_profile("nosuch"));
  CHECK(*test.db->remove_profile("dane"));
}

TEST_CASE("rows are listed in order of destination") {
  OpenDatabase test;
  for (const auto* name : {"b.example", "*", "a.example", ".example"}) test.set(name, "required");
  const auto rows = test.db->list_outbound();
  REQUIRE(rows.ok());
  std::string names;
  for (const auto& row : *rows) names += row.destination + " ";
  CHECK(names == "* .example a.example b.example ");
}

TEST_CASE("a profile is made, changed column by column, and read as the engine sees it") {
  OpenDatabase test;
  REQUIRE(test.db
              ->set_profile("bounce-soon", {{"level", "encrypt"},
                                            {"fallback", "bounce"},
                                            {"attempts", "3"},
                                            {"min_protocol", "TLSv1.2"},
                                            {"connection_reuse", "yes"},
                                            {"ciphers", std::nullopt}})
              .ok());
  auto profile = test.db->load_profile("bounce-soon");
  REQUIRE((profile.ok() && profile->has_value()));
  CHECK((*profile)->level == model::Level::Encrypt);
  CHECK((*profile)->fallback == model::Fallback::Bounce);
  CHECK((*profile)->attempts == 3);
  CHECK((*profile)->min_protocol == model::TlsVersion::Tls12);
  CHECK((*profile)->connection_reuse == true);
  CHECK((*profile)->ciphers.empty());

  REQUIRE(
      test.db->set_profile("bounce-soon", {{"attempts", std::nullopt}, {"exclude", "RC4"}}).ok());
  profile = test.db->load_profile("bounce-soon");
  CHECK((*profile)->attempts == std::nullopt);
  CHECK((*profile)->exclude == "RC4");
  CHECK((*profile)->fallback == model::Fallback::Bounce);

  const auto columns = test.db->find_profile("bounce-soon");
  REQUIRE((columns.ok() && columns->has_value()));
  REQUIRE((*columns)->size() == PolicyDb::profile_columns().size());
  for (std::size_t i = 0; i < (*columns)->size(); ++i) {
    CHECK((**columns)[i].name == PolicyDb::profile_columns()[i]);
  }
  CHECK(test.db->list_profiles()->size() == 11);
  CHECK_FALSE(test.db->load_profile("nosuch")->has_value());
}

TEST_CASE("a profile setting that isn't one is refused") {
  OpenDatabase test;
  const auto error = [&test](const std::string& name, std::vector<PolicyDb::Setting> settings) {
    return test.db->set_profile(name, settings).error();
  };
  CHECK_THAT(error("x", {{"fallback", "never"}}), ContainsSubstring("level must be"));
  CHECK_THAT(error("x", {{"level", "tls"}}), ContainsSubstring("level must be"));
  CHECK_THAT(error("required", {{"levle", "may"}}), ContainsSubstring("no column"));
  CHECK_THAT(error("required", {{"name", "x"}}), ContainsSubstring("no column"));
  CHECK_THAT(error("required", {{"level = 'none' --", "x"}}), ContainsSubstring("no column"));
  CHECK_THAT(error("required", {{"attempts", "often"}}), ContainsSubstring("INTEGER"));
  CHECK_THAT(error("required", {{"retry_after", "0"}}), ContainsSubstring("retry_after must be"));
  CHECK_THAT(error("-x", {{"level", "may"}}), ContainsSubstring("a profile name is"));
}

TEST_CASE("undo puts back what a change replaced, made or removed") {
  OpenDatabase test;
  test.set("bank.example", "required");
  const auto made = test.newest_change();
  test.set("bank.example", "off");
  const auto changed = test.newest_change();
  CHECK_THAT(*test.db->undo(changed), ContainsSubstring("outbound bank.example"));
  CHECK(test.profile_of("bank.example") == "required");
  // The undoing is a change as well.
  const auto undone = test.newest_change();
  CHECK(undone == changed + 1);
  REQUIRE(test.db->undo(undone).ok());
  CHECK(test.profile_of("bank.example") == "off");

  const auto too_late = test.db->undo(made);
  REQUIRE_FALSE(too_late.ok());
  CHECK_THAT(too_late.error(),
             ContainsSubstring("has changed since") &&
                 ContainsSubstring(fmt::format("change {}", test.newest_change())));

  REQUIRE(*test.db->remove_outbound("bank.example"));
  CHECK_THAT(*test.db->undo(test.newest_change()), ContainsSubstring("restored"));
  CHECK(test.profile_of("bank.example") == "off");
  test.set("other.example", "dane");
  CHECK_THAT(*test.db->undo(test.newest_change()), ContainsSubstring("removed again"));
  CHECK(test.profile_of("other.example") == "-");
  CHECK_THAT(test.db->undo(999).error(), ContainsSubstring("no change 999"));
}

TEST_CASE("undo works for profiles, and the rules hold for it") {
  OpenDatabase test;
  REQUIRE(test.db->set_profile("required", {{"min_protocol", "TLSv1.3"}, {"attempts", "5"}}).ok());
  REQUIRE(test.db->undo(test.newest_change()).ok());
  CHECK((*test.db->load_profile("required"))->min_protocol == std::nullopt);
  CHECK((*test.db->load_profile("required"))->attempts == std::nullopt);

  REQUIRE(test.db->set_profile("mine", {{"level", "encrypt"}}).ok());
  const auto made = test.newest_change();
  test.set("bank.example", "mine");
  CHECK_THAT(test.db->undo(made).error(), ContainsSubstring("rows of outbound use this profile"));
}

TEST_CASE("undo refuses where the row is not what the change left, or the log was tampered with") {
  OpenDatabase test;
  test.set("bank.example", "required");
  const auto change = test.newest_change();
  REQUIRE(shell(test.file,
                "UPDATE outbound SET profile = 'off'; DELETE FROM change_log "
                "WHERE seq > 1")
              .empty());
  CHECK_THAT(test.db->undo(change).error(), ContainsSubstring("is not as change"));
  shell(test.file,
        "UPDATE outbound SET profile = 'required'; DELETE FROM change_log WHERE seq > 1;"
        "UPDATE change_log SET before = '{\"destination\": [1]}', op = 'update'");
  CHECK_THAT(test.db->undo(change).error(), ContainsSubstring("no readable row"));
  shell(test.file, "UPDATE change_log SET before = 'nonsense'");
  CHECK_THAT(test.db->undo(change).error(), ContainsSubstring("no readable row"));
  shell(test.file,
        "UPDATE change_log SET before = '{\"destination\": \"bank.example\", "
        "\"profile\": \"off\", \"x\\\") --\": 1}'");
  CHECK_FALSE(test.db->undo(change).ok());
  CHECK(test.profile_of("bank.example") == "required");
}

TEST_CASE("a reader can't write and leaves no files behind") {
  OpenDatabase test;
  test.db.reset();
  {
    auto reader = PolicyDb::open(test.file, PolicyDb::Access::ReadOnly);
    REQUIRE(reader.ok());
    CHECK(reader->list_outbound().ok());
    CHECK_FALSE(reader->remove_profile("dane").ok());
  }
  CHECK_FALSE(std::filesystem::exists(test.file + "-wal"));
}
