// profile list|show|set|remove: the rows of table profile.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/ctl_profile_fault.h"
#include "src/app/ctl_rows.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_verbs.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

using store::PolicyDb;

Exit fail_without_profile(std::string_view name) {
  return fail(
      fmt::format("there is no profile \"{}\"; `tlspolicyctl profile list` shows all", name));
}

Exit run_list(const Context& context, const Arguments& /*arguments*/) {
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto profiles = db->list_profiles();
  if (!profiles) return fail(plain_sentence(profiles.error()));
  if (context.is_json) {
    JsonArray array;
    for (const auto& profile : *profiles) array.add(to_json(profile));
    array.finish();
    return Exit::Done;
  }
  Table table({"name", "level", "fallback", "settings", "comment"});
  for (const auto& profile : *profiles) {
    const auto settings = settings_of(profile);
    table.add({text_of(profile, "name"), text_of(profile, "level"), text_of(profile, "fallback"),
               settings.empty() ? "-" : settings, text_of(profile, "comment")});
  }
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

Exit run_show(const Context& context, const Arguments& arguments) {
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto profile = db->find_profile(arguments.profile);
  if (!profile) return fail(plain_sentence(profile.error()));
  if (!*profile) return fail_without_profile(arguments.profile);
  if (context.is_json) {
    print_json(to_json(**profile));
    return Exit::Done;
  }
  Table table;
  for (const auto& column : **profile) table.add({column.name, column.text.value_or("-")});
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

// "column=value", an empty value for NULL; the error is one of usage.
base::Result<PolicyDb::Setting> parse_setting(const std::string& text) {
  const auto equals = text.find('=');
  const auto column = text.substr(0, equals);
  const auto& columns = PolicyDb::profile_columns();
  if (equals == std::string::npos || column == "name" ||
      std::find(columns.begin(), columns.end(), column) == columns.end()) {
    auto allowed = columns;
    std::erase(allowed, "name");
    return base::Error{fmt::format(
        "\"{}\" is not column=value (an empty value unsets); the columns of a profile are {}", text,
        base::join(allowed, ", "))};
  }
  PolicyDb::Setting setting{column, text.substr(equals + 1)};
  if (setting.value->empty()) setting.value.reset();
  return setting;
}

// The newest change of a profile; 0 where there is none.
base::Result<std::int64_t> newest_change(PolicyDb& db, std::string_view name) {
  const auto changes = db.list_changes("profile", name, 1);
  if (!changes) return base::Error{plain_sentence(changes.error())};
  return changes->empty() ? 0 : changes->front().seq;
}

// After the profile was stored: why Postfix would refuse it, or nothing. The daemon would, too, and
// go on with the policy before, so that nothing was served from it.
std::optional<std::string> find_stored_fault(PolicyDb& db, std::string_view name) {
  const auto profile = db.load_profile(name);
  if (!profile) return plain_sentence(profile.error());
  return *profile ? find_profile_fault(**profile) : std::nullopt;
}

// Takes back what was changed since change `before`, where anything was.
base::Result<void> put_back(PolicyDb& db, std::string_view name, std::int64_t before) {
  const auto seq = newest_change(db, name);
  if (!seq) return base::Error{seq.error()};
  if (*seq <= before) return {};
  if (const auto undone = db.undo(*seq); !undone) {
    return base::Error{plain_sentence(undone.error())};
  }
  return {};
}

// Stores the settings; takes them back where the profile as a whole has a fault. The error says
// what stands now.
base::Result<void> store_sound_profile(PolicyDb& db, std::string_view name,
                                       const std::vector<PolicyDb::Setting>& settings) {
  const auto refuse = [](std::string_view why) {
    return base::Error{fmt::format("not stored: {}", why)};
  };
  const auto before = newest_change(db, name);
  if (!before) return refuse(before.error());
  if (auto stored = db.set_profile(name, settings); !stored) {
    return refuse(plain_sentence(stored.error()));
  }
  const auto fault = find_stored_fault(db, name);
  if (!fault) return {};
  if (const auto done = put_back(db, name, *before); !done) {
    return base::Error{fmt::format(
        "stored, though at fault: {}; it could not be put back ({}), and no policy is published "
        "until it is mended",
        *fault, done.error())};
  }
  return refuse(*fault);
}

Exit run_set(const Context& context, const Arguments& arguments) {
  const std::string& name = arguments.profile;
  std::vector<PolicyDb::Setting> settings;
  for (const auto& text : arguments.settings) {
    auto setting = parse_setting(text);
    if (!setting) return refuse_usage(setting.error());
    settings.push_back(std::move(*setting));
  }
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  if (auto stored = store_sound_profile(*db, name, settings); !stored) {
    return fail(fmt::format("profile {}: {}", name, stored.error()));
  }
  const auto now = db->find_profile(name);
  if (!now || !*now) return fail(fmt::format("profile {}: could not be read back", name));
  if (context.is_json) {
    print_json(to_json(**now));
    return Exit::Done;
  }
  const auto set = settings_of(**now);
  say(terminal_text(fmt::format("profile {}: level {}, fallback {}{}{}", name,
                                text_of(**now, "level"), text_of(**now, "fallback"),
                                set.empty() ? "" : ", ", set)));
  return Exit::Done;
}

Exit run_remove(const Context& context, const Arguments& arguments) {
  const std::string& name = arguments.profile;
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto removed = db->remove_profile(name);
  if (!removed) {
    return fail(fmt::format("profile {}: not removed: {}", name, plain_sentence(removed.error())));
  }
  if (!*removed) return fail_without_profile(name);
  if (context.is_json) {
    print_json(Json{{"name", name}, {"removed", true}});
  } else {
    say(terminal_text(fmt::format("profile {}: removed", name)));
  }
  return Exit::Done;
}

}  // namespace

void add_profile_verbs(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb profile = root.add_subcommand("profile", "Show and change profiles");
  profile.group(kPolicyGroup);
  profile.require_subcommand();
  add_verb(profile, line, "list", "Show every profile", run_list);
  add_verb(profile, line, "show", "Show every column of one", run_show)
      .add_option("NAME", to.profile, "Its name")
      .required();
  const Verb set =
      add_verb(profile, line, "set", "Make a profile, or change columns of one", run_set);
  set.add_option("NAME", to.profile, "Its name").required();
  set.add_option("SETTINGS", to.settings, "column=value; an empty value unsets the column")
      .required();
  add_verb(profile, line, "remove", "Remove a profile that no row uses", run_remove)
      .add_option("NAME", to.profile, "Its name")
      .required();
}

}  // namespace app::ctl
