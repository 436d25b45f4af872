#include "src/store/policy_summary.h"

#include "src/store/policy_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

constexpr std::int64_t kNow = 1'000'000;

store::PolicySummary summarise(const std::string& file, std::int64_t limit = 100) {
  auto db = store::PolicyDb::open(file, store::PolicyDb::Access::ReadOnly);
  REQUIRE(db.ok());
  auto summary = db->summarise(kNow, limit);
  REQUIRE(summary.ok());
  return std::move(*summary);
}

using Names = std::vector<std::string>;

// A policy.db with what `sql` puts into it.
struct Table {
  explicit Table(const std::string& sql) {
    REQUIRE(store::PolicyDb::init(file).ok());
    CHECK(test::shell(file, sql).empty());
  }
  test::Folder folder;
  std::string file = folder.path("policy.db");
};

}  // namespace

TEST_CASE("policy summary: rows are counted by profile and by what they stand for") {
  CHECK(summarise(Table("").file).uses.empty());
  const Table table(
      "INSERT INTO outbound(destination, profile, match) VALUES"
      "('b.example', 'secure', NULL), ('a.example', 'secure', 'mx.example'),"
      "('.c.example', 'secure', NULL), ('*', 'required', NULL),"
      "('[*]', 'required', NULL), ('[relay.example]:587', 'required', NULL),"
      "('d.example:26', 'required', NULL);");
  const auto summary = summarise(table.file);
  REQUIRE(summary.uses.size() == 2);
  const auto& required = summary.uses[0];
  CHECK(required.profile.name == "required");
  CHECK(required.profile.level == model::Level::Encrypt);
  CHECK(required.domains == 1);
  CHECK(required.domain_names == Names{"*"});
  CHECK(required.hops == 3);
  CHECK(required.hop_names == Names{"[*]", "[relay.example]:587", "d.example:26"});
  CHECK(required.unmatched_names.empty());
  const auto& secure = summary.uses[1];
  CHECK(secure.domains == 3);
  CHECK(secure.unmatched == 2);
  CHECK(secure.unmatched_names == Names{"b.example"});
  CHECK(summarise(table.file, 1).uses[1].domain_names == Names{".c.example"});
}

TEST_CASE("policy summary: rows that are observed or expired don't count") {
  const Table table(
      "INSERT INTO outbound(destination, profile, mode, expires_at) VALUES"
      "('a.example', 'required', 'observe', NULL),"
      "('b.example', 'required', 'enforce', 1000000),"
      "('c.example', 'required', 'enforce', 1000001);");
  const auto summary = summarise(table.file);
  REQUIRE(summary.uses.size() == 1);
  CHECK(summary.uses[0].domain_names == Names{"c.example"});
}

TEST_CASE("policy summary: a profile that can't be understood is named, the others are counted") {
  const Table table(
      "INSERT INTO outbound(destination, profile) VALUES('a.example', 'required'),"
      "('b.example', 'verified'); PRAGMA ignore_check_constraints=ON; "
      "DROP TRIGGER IF EXISTS profile_update; "
      "UPDATE profile SET level = 'nonsense' WHERE name = 'required';");
  const auto summary = summarise(table.file);
  REQUIRE(summary.uses.size() == 1);
  CHECK(summary.uses[0].profile.name == "verified");
  REQUIRE(summary.faults.size() == 1);
  CHECK_THAT(summary.faults[0], Catch::Matchers::ContainsSubstring("level"));
}
