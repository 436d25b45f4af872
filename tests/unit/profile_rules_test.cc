// The rules for a profile exist twice, as SQL and as model::find_contradiction: they must agree.
#include <fmt/format.h>

#include <vector>

#include "src/store/policy_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

using Settings = std::vector<store::PolicyDb::Setting>;

// What find_contradiction says of the profile that the settings describe.
model::Profile profile_of(const Settings& settings) {
  model::Profile profile;
  profile.name = "x";
  const auto number = [](const std::optional<std::string>& text) { return std::stoll(*text); };
  for (const auto& [column, value] : settings) {
    if (column == "level") profile.level = *model::parse_level(*value);
    if (column == "fallback") profile.fallback = *model::parse_fallback(*value);
    if (column == "first_contact") profile.first_contact = model::parse_level(*value);
    if (column == "downgrade_to") profile.downgrade_to = model::parse_level(*value);
    if (column == "min_protocol") profile.min_protocol = model::parse_tls_version(*value);
    if (column == "protocols") profile.protocols = *value;
    if (column == "ciphers") profile.ciphers = *value;
    if (column == "exclude") profile.exclude = *value;
    if (column == "tafile") profile.tafile = *value;
    if (column == "servername") profile.servername = *value;
    if (column == "reroute_to") profile.reroute_to = *value;
    if (column == "connection_reuse") profile.connection_reuse = *value == "yes";
    if (column == "enable_rpk") profile.enable_rpk = *value == "yes";
    if (column == "attempts") profile.attempts = number(value);
    if (column == "retry_after") profile.retry_after = number(value);
    if (column == "failure_memory") profile.failure_memory = number(value);
    if (column == "downgrade_for") profile.downgrade_for = number(value);
    if (column == "downgrade_max") profile.downgrade_max = number(value);
    if (column == "remember_for") profile.remember_for = number(value);
  }
  return profile;
}

// Each on top of every level and fallback.
std::vector<Settings> attribute_sets() {
  std::vector<Settings> sets{
      {},
      {{"protocols", ">=TLSv1.2"}},
      {{"min_protocol", "TLSv1.2"}},
      {{"protocols", "TLSv1.2"}, {"min_protocol", "TLSv1.2"}},
      {{"ciphers", "high"}},
      {{"exclude", "RC4"}},
      {{"tafile", "/etc/ssl/ca.pem"}},
      {{"servername", "hostname"}},
      {{"connection_reuse", "yes"}},
      {{"enable_rpk", "no"}},
      {{"reroute_to", "smtp:[gateway.example]"}},
      {{"downgrade_for", "100"}, {"downgrade_max", "99"}},
      {{"downgrade_for", "100"}, {"downgrade_max", "100"}},
  };
  for (const auto* column : {"attempts", "retry_after", "failure_memory", "downgrade_for",
                             "downgrade_max", "remember_for"}) {
    for (const auto* value : {"-1", "0", "1", "100", "101", "315360000", "315360001"}) {
      sets.push_back({{column, value}});
    }
  }
  for (const auto level : model::kLevels) {
    sets.push_back({{"first_contact", std::string(model::to_word(level))}});
    sets.push_back({{"downgrade_to", std::string(model::to_word(level))}});
  }
  return sets;
}

}  // namespace

TEST_CASE("the database and the model refuse the same profiles") {
  const test::Folder folder;
  const auto file = folder.path("policy.db");
  REQUIRE(store::PolicyDb::init(file).ok());
  // One connection and no fsync a row: there are a few thousand profiles.
  std::string script = "PRAGMA synchronous=OFF;\n.bail off\n";
  std::vector<std::optional<std::string>> contradictions;
  for (const auto level : model::kLevels) {
    for (const auto fallback : model::kFallbacks) {
      for (auto settings : attribute_sets()) {
        settings.push_back({"level", std::string(model::to_word(level))});
        settings.push_back({"fallback", std::string(model::to_word(fallback))});
        std::string columns = "name";
        std::string values = fmt::format("'p{}'", contradictions.size());
        for (const auto& setting : settings) {
          columns += ", " + setting.column;
          values += fmt::format(", '{}'", *setting.value);
        }
        script += fmt::format("INSERT OR IGNORE INTO profile({}) VALUES({});\n", columns, values);
        contradictions.push_back(model::find_contradiction(profile_of(settings)));
      }
    }
  }
  test::shell(file, "BEGIN;" + script + "COMMIT;");
  const auto stored = test::shell(file, "SELECT group_concat(name, ' ') FROM profile") + " ";
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < contradictions.size(); ++i) {
    const bool is_stored = stored.find(fmt::format("p{} ", i)) != std::string::npos;
    INFO(fmt::format("profile {}: {}", i, contradictions[i].value_or("no contradiction")));
    CHECK(is_stored == !contradictions[i].has_value());
    if (is_stored) ++accepted;
  }
  // Both sides were seen to accept and to refuse.
  CHECK(accepted > 100);
  CHECK(accepted < contradictions.size() - 100);
}
