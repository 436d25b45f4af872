// set, remove and list: the rows of table outbound.
#include <fmt/format.h>

#include <map>

#include "src/app/ctl_rows.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/app/import_plan.h"
#include "src/model/next_hop.h"
#include "tlsmap/policy_text.h"

namespace app::ctl {
namespace {

using store::OutboundRow;
using store::PolicyDb;

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The row that the arguments ask for, in normal form; the error is one of usage.
base::Result<OutboundRow> row_from(const Context& context, const Arguments& arguments) {
  const auto key = model::parse_destination(arguments.destination);
  if (!key) return base::Error{key.error()};
  OutboundRow row;
  row.destination = key->text;
  row.profile = arguments.profile;
  row.match = given(arguments.match);
  row.owner = given(arguments.owner);
  row.reason = given(arguments.reason);
  row.comment = given(arguments.comment);
  if (!arguments.mode.empty()) {
    if (!model::parse_row_mode(arguments.mode)) {
      return base::Error{fmt::format("--mode: \"{}\" is not allowed; allowed is enforce or observe",
                                     arguments.mode)};
    }
    row.mode = arguments.mode;
  }
  if (!arguments.expires.empty() && arguments.expires != "never") {
    const auto at = parse_expiry(arguments.expires, context.now);
    if (!at) return base::Error{fmt::format("--expires: {}", at.error())};
    row.expires_at = at->time_since_epoch().count();
  }
  return row;
}

// What the database can't judge: whether Postfix would take the profile together with the match.
std::optional<std::string> find_row_fault(const model::Profile& profile, const OutboundRow& row) {
  const auto match = row.match.value_or("");
  if (auto fault = model::find_match_fault(profile, match)) return fault;
  return tlsmap::find_policy_fault(profile, match);
}

std::string sentence_of(const Context& context, const OutboundRow& row,
                        const model::Profile& profile) {
  auto sentence = fmt::format("{}: profile {} ({}, {})", row.destination, row.profile,
                              model::to_word(profile.level), model::to_word(profile.fallback));
  if (row.match) sentence += fmt::format(", match {}", *row.match);
  if (row.expires_at) {
    sentence += fmt::format(", until {} ({})", iso_time_of(*row.expires_at),
                            describe_distance(*row.expires_at, context.now));
  }
  if (row.mode == "observe") sentence += "; mode observe: only recorded, not enforced";
  return sentence;
}

void warn_where_not_in_force(const Context& context, const OutboundRow& row) {
  if (row.expires_at && *row.expires_at <= context.now.time_since_epoch().count()) {
    warn(fmt::format("{}: stored, but it expired at {}, so it does not apply", row.destination,
                     iso_time_of(*row.expires_at)));
  }
  if (context.config.mode == model::RowMode::Observe) {
    warn(fmt::format("the daemon's mode is observe ({}): no row is enforced", context.config_file));
  }
}

// A row that ends leaves nothing behind, also where it took the place of one that would have held.
void warn_where_it_ends(const Context& context, PolicyDb& db, const OutboundRow& row,
                        const std::optional<OutboundRow>& before) {
  if (!row.expires_at || !before || !is_in_force(*before, context.now)) return;
  if (before->expires_at && *before->expires_at <= *row.expires_at) return;
  const auto changes = db.list_changes("outbound", row.destination, 1);
  const bool is_known = changes && !changes->empty();
  warn(
      fmt::format("{0}: when it ends, the row before ({1}) does not come back, and mail goes as if "
                  "there were no row {0}. To bring it back: tlspolicyctl undo {2}",
                  row.destination, before->profile,
                  is_known ? std::to_string(changes->front().seq)
                           : "with the number of this change, which explain shows"));
}

Exit run_set(const Context& context, const Arguments& arguments) {
  const auto row = row_from(context, arguments);
  if (!row) return refuse_usage(row.error());
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto profile = db->load_profile(row->profile);
  if (!profile) return fail(plain_sentence(profile.error()));
  if (!*profile) {
    return fail(fmt::format("{}: there is no profile \"{}\"; `tlspolicyctl profile list` shows all",
                            row->destination, row->profile));
  }
  if (const auto fault = find_row_fault(**profile, *row)) {
    return fail(fmt::format("{}: not stored: {}", row->destination, *fault));
  }
  const auto before = db->find_outbound(row->destination);
  if (!before) return fail(plain_sentence(before.error()));
  if (auto stored = db->set_outbound(*row); !stored) {
    return fail(
        fmt::format("{}: not stored: {}", row->destination, plain_sentence(stored.error())));
  }
  if (context.is_json) {
    print_json(to_json(*row));
  } else {
    say(terminal_text(sentence_of(context, *row, **profile)));
  }
  warn_where_not_in_force(context, *row);
  warn_where_it_ends(context, *db, *row, *before);
  return Exit::Done;
}

Exit run_remove(const Context& context, const Arguments& arguments) {
  const auto key = model::parse_destination(arguments.destination);
  if (!key) return refuse_usage(key.error());
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto removed = db->remove_outbound(key->text);
  if (!removed) {
    return fail(fmt::format("{}: not removed: {}", key->text, plain_sentence(removed.error())));
  }
  if (!*removed) return fail(fmt::format("{}: there is no row of this name", key->text));
  if (context.is_json) {
    print_json(Json{{"destination", key->text}, {"removed", true}});
  } else {
    say(fmt::format("{}: removed; `tlspolicyctl explain {}` shows what applies now", key->text,
                    key->text));
  }
  return Exit::Done;
}

// Level of each profile, for the listing; an error leaves it empty.
std::map<std::string, std::string> levels_of(PolicyDb& db) {
  std::map<std::string, std::string> levels;
  const auto profiles = db.list_profiles();
  if (!profiles) return levels;
  for (const auto& profile : *profiles)
    levels[text_of(profile, "name")] = text_of(profile, "level");
  return levels;
}

Exit run_list(const Context& context, const Arguments& /*arguments*/) {
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto rows = db->list_outbound();
  if (!rows) return fail(plain_sentence(rows.error()));
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(to_json(row));
    array.finish();
    return Exit::Done;
  }
  if (rows->empty()) {
    say("no rows: every question is answered NOTFOUND, and main.cf decides "
        "(add one with: tlspolicyctl set DEST PROFILE)");
    return Exit::Done;
  }
  auto levels = levels_of(*db);
  Table table({"destination", "profile", "level", "mode", "match", "expires", "owner", "reason"});
  for (const auto& row : *rows) {
    table.add({row.destination, row.profile, levels[row.profile], row.mode, row.match.value_or("-"),
               expiry_cell(row.expires_at, context.now), row.owner.value_or("-"),
               row.reason.value_or("-")});
  }
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

}  // namespace

void add_outbound_verbs(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb set =
      add_verb(root, line, "set", "Store a destination's row, in place of the old one", run_set);
  set.group(kPolicyGroup);
  set.add_option("DEST", to.destination,
                 "example.com, .example.com (everything below it), [relay.example]:587, [*] or *")
      .required();
  set.add_option("PROFILE", to.profile, "A profile's name").required();
  set.add_option("--match", to.match, "Names or pins that the certificate must match");
  set.add_option("--mode", to.mode, "enforce, or observe: recorded, not enforced");
  set.add_option("--owner", to.owner, "Who answers for this row");
  set.add_option("--reason", to.reason, "Why it is there");
  set.add_option("--expires", to.expires,
                 "30m, 4h, 7d, 2w, seconds, a UTC date (2026-11-22T08:15), or never");
  set.add_option("--comment", to.comment, "Anything else");
  const Verb remove = add_verb(root, line, "remove", "Remove a destination's row", run_remove);
  remove.group(kPolicyGroup);
  remove.add_option("DEST", to.destination, "As it stands in the list").required();
  add_verb(root, line, "list", "Show every row", run_list).group(kPolicyGroup);
}

}  // namespace app::ctl
