// export: rows as a Postfix table or a CSV file, sorted, so that two exports can be compared.
#include "src/app/ctl_export.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <set>

#include "src/app/ctl_rows.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/app/import_plan.h"
#include "src/app/profile_settings.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"
#include "src/store/row_import.h"
#include "src/wire/csv.h"
#include "tlsmap/policy_parse.h"
#include "tlsmap/policy_text.h"

namespace app::ctl {
namespace {

using store::OutboundRow;
using store::PolicyDb;
using store::RowImport;
using Profiles = std::map<std::string, model::Profile, std::less<>>;

// Always the same, so that what is imported from an export is exported alike. What of it holds for
// the rows at hand is said on standard error.
constexpr std::string_view kHead =
    "# A table for smtp_tls_policy_maps, written by tlspolicyctl export.\n"
    "# A Postfix table has no room for what else a row of tlspolicyd says:\n"
    "# - fallbacks: Postfix goes by the level alone, and at may on to plaintext by itself\n"
    "# - rows in mode observe and rows that have expired: left out, as they don't hold\n"
    "# - ends: a row that is to expire is here without its end\n"
    "# - the rows * and [*]: left out; smtp_tls_security_level of main.cf is for the rest\n"
    "# - owner, reason and comment\n"
    "# tlspolicyctl export --format csv has all of it.\n";

struct Exporter {
  const Context& context;
  Profiles profiles;
  model::PostfixVersion version;
  bool is_table = true;
  bool needs_settings = false;  // a row has a profile that not every database has
};

// What can't be in the file, or otherwise than it is here; counted by reason, some by name.
class Losses {
 public:
  void add(std::string_view reason, std::string_view what) {
    auto& names = by_reason_[std::string(reason)];
    names.insert(std::string(what));
  }
  void say() const {
    constexpr std::size_t kMostNamed = 5;
    for (const auto& [reason, names] : by_reason_) {
      std::vector<std::string> named;
      for (const auto& name : names) {
        if (named.size() == kMostNamed) break;
        named.push_back(name);
      }
      const auto rest = names.size() - named.size();
      warn(fmt::format("{}: {}{}", reason, base::join(named, ", "),
                       rest > 0 ? fmt::format(" and {} more", rest) : ""));
    }
  }

 private:
  std::map<std::string, std::set<std::string>> by_reason_;
};

// What a profile has that the table can't say.
void note_profile(const Exporter& exporter, const model::Profile& profile, Losses& losses) {
  const auto own =
      profile.level == model::Level::May ? model::Fallback::Native : model::Fallback::Never;
  if (profile.fallback != own) {
    losses.add("the fallback of these profiles is left out",
               fmt::format("{} ({})", profile.name, model::to_word(profile.fallback)));
  }
  const auto rest = tlsmap::without_unknown_attributes(profile, exporter.version);
  if (rest != profile) {
    losses.add(fmt::format("Postfix {} doesn't know all attributes of these profiles, so they are "
                           "left out (--postfix-version names another)",
                           fmt::format("{}.{}", exporter.version.major, exporter.version.minor)),
               profile.name);
  }
}

// Whether the destination is one, as only a database that was made to deceive has them otherwise.
bool is_destination(const std::string& text) {
  const auto key = model::parse_destination(text);
  return key && key->text == text;
}

// Whether the row is no part of a Postfix table.
bool is_left_out(const Exporter& exporter, const OutboundRow& row, Losses& losses) {
  if (row.destination == "*" || row.destination == "[*]") {
    const auto* level = "its level";
    const auto profile = exporter.profiles.find(row.profile);
    losses.add(
        "left out; say it by smtp_tls_security_level in main.cf",
        fmt::format(
            "{} ({})", row.destination,
            profile == exporter.profiles.end() ? level : model::to_word(profile->second.level)));
    return true;
  }
  if (row.mode != "enforce") {
    losses.add("left out, in mode observe", row.destination);
    return true;
  }
  if (!is_in_force(row, exporter.context.now)) {
    losses.add("left out, expired", row.destination);
    return true;
  }
  if (row.expires_at) losses.add("these rows have an end, the table has none", row.destination);
  return false;
}

// The policy of a row; nothing where it can't be one, which `faults` says then.
std::optional<std::string> policy_of(const Exporter& exporter, const OutboundRow& row,
                                     Losses& losses, Losses& faults) {
  if (!is_destination(row.destination)) {
    faults.add("left out, no destination", row.destination);
    return std::nullopt;
  }
  const auto profile = exporter.profiles.find(row.profile);
  if (profile == exporter.profiles.end()) {
    faults.add(fmt::format("left out, without a profile \"{}\" that can be read", row.profile),
               row.destination);
    return std::nullopt;
  }
  model::Verdict verdict;
  verdict.kind = model::Verdict::Kind::Policy;
  verdict.level = profile->second.level;
  verdict.row.profile = &profile->second;
  if (row.match) verdict.row.match = *row.match;
  std::string text;
  const auto appended = tlsmap::append_policy_text(text, verdict, exporter.version);
  if (!appended) {
    faults.add(fmt::format("left out: {}", appended.error()), row.destination);
    return std::nullopt;
  }
  note_profile(exporter, profile->second, losses);
  return text;
}

Exit write_table(const Exporter& exporter, RowImport& rows) {
  Losses losses;
  Losses faults;
  bool is_faulty = false;
  JsonArray array;
  const bool is_json = exporter.context.is_json;
  if (!is_json) fmt::print(stdout, "{}", kHead);
  const auto walked = rows.walk([&](OutboundRow&& row) {
    if (is_left_out(exporter, row, losses)) return;
    const auto policy = policy_of(exporter, row, losses, faults);
    is_faulty = is_faulty || !policy;
    if (!policy) return;
    if (is_json) {
      array.add(Json{{"destination", row.destination}, {"policy", *policy}});
    } else {
      fmt::print(stdout, "{}\t{}\n", row.destination, *policy);
    }
  });
  if (is_json) array.finish();
  if (!walked) return fail(plain_sentence(walked.error()));
  losses.say();
  faults.say();
  return is_faulty ? Exit::NotWell : Exit::Done;
}

// The settings that make the profile elsewhere; nothing where every database has it.
std::string carried_settings(const Exporter& exporter, const std::string& profile) {
  const auto found = exporter.profiles.find(profile);
  if (found == exporter.profiles.end() || is_as_shipped(found->second)) return {};
  return settings_text(found->second);
}

void append_csv_row(std::string& out, const OutboundRow& row) {
  const auto put = [&](std::string_view field) {
    out += ',';
    wire::append_csv_field(out, field);
  };
  wire::append_csv_field(out, row.destination);
  put(row.profile);
  put(row.match.value_or(""));
  put(row.mode);
  put(row.owner.value_or(""));
  put(row.reason.value_or(""));
  put(row.expires_at ? std::to_string(*row.expires_at) : "");
  put(row.comment.value_or(""));
}

// Column profile_settings is there where a row needs it.
Exit write_csv(const Exporter& exporter, RowImport& rows) {
  say(base::join(outbound_columns(), ",") +
      (exporter.needs_settings ? fmt::format(",{}", kSettingsColumn) : std::string()));
  std::string line;
  const auto walked = rows.walk([&](OutboundRow&& row) {
    line.clear();
    append_csv_row(line, row);
    if (exporter.needs_settings) {
      line += ',';
      wire::append_csv_field(line, carried_settings(exporter, row.profile));
    }
    say(line);
  });
  if (!walked) return fail(plain_sentence(walked.error()));
  return Exit::Done;
}

Exit write_rows_as_json(RowImport& rows) {
  JsonArray array;
  const auto walked = rows.walk([&](OutboundRow&& row) { array.add(to_json(row)); });
  array.finish();
  if (!walked) return fail(plain_sentence(walked.error()));
  return Exit::Done;
}

Exit run_export(const Context& context, const Arguments& arguments) {
  Exporter exporter{
      context, {}, table_version(context.config.postfix_version), arguments.format != "csv"};
  if (!arguments.postfix_version.empty()) {
    const auto version = model::parse_postfix_version(arguments.postfix_version);
    if (!version || *version < model::PostfixVersion{}) {
      return refuse_usage(
          fmt::format("--postfix-version: \"{}\" is not allowed; allowed is "
                      "MAJOR.MINOR or MAJOR.MINOR.PATCH, from 3.4",
                      arguments.postfix_version));
    }
    exporter.version = table_version(*version);
  }
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  // One state of the database for all that is read.
  auto rows = RowImport::begin(*db, RowImport::Kind::Look);
  if (!rows) return fail(plain_sentence(rows.error()));
  auto profiles = rows->profiles();
  if (!profiles) return fail(plain_sentence(profiles.error()));
  for (auto& each : *profiles) {
    if (each.readable) exporter.profiles.emplace(each.name, std::move(*each.readable));
  }
  // Some of the rows are no policy: nothing is written unless all of them can be read.
  const auto walked = rows->walk([&](OutboundRow&& row) {
    exporter.needs_settings =
        exporter.needs_settings || !carried_settings(exporter, row.profile).empty();
  });
  if (!walked) return fail(plain_sentence(walked.error()));
  if (exporter.is_table) return write_table(exporter, *rows);
  return context.is_json ? write_rows_as_json(*rows) : write_csv(exporter, *rows);
}

}  // namespace

void add_export_verb(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb verb =
      add_verb(root, line, "export", "Write the rows as a Postfix table or as CSV", run_export);
  verb.group(kPolicyGroup);
  verb.add_option("--format", to.format, "tls_policy (a table for Postfix), or csv (all columns)")
      .one_of({"tls_policy", "csv"});
  verb.add_option("--postfix-version", to.postfix_version,
                  "Whose attributes the table may have, if not those of the configured one")
      .type_name("X.Y");
}

}  // namespace app::ctl
