// submission list, set and remove: the rows of table submission.
#include <fmt/format.h>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"
#include "src/model/sender_match.h"
#include "src/model/submission_rule.h"

namespace app::ctl {
namespace {

using store::PolicyDb;
using store::SubmissionRow;

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Json to_json(const SubmissionRow& row) {
  using app::ctl::to_json;
  return {{"sender", row.sender},
          {"require", row.require},
          {"otherwise", row.otherwise},
          {"min_protocol", to_json(row.min_protocol)},
          {"text", to_json(row.text)},
          {"owner", to_json(row.owner)},
          {"reason", to_json(row.reason)},
          {"expires_at", row.expires_at ? Json(*row.expires_at) : Json(nullptr)},
          {"comment", to_json(row.comment)}};
}

// In normal form, as the daemon finds it: lower case, domains as A-labels. Whether it can be a
// sender, the database says.
std::string sender_from(const std::string& written) {
  if (written.find('@') != std::string::npos) return model::normalise_sender(written).address;
  return model::normalise_key(written).text;
}

base::Result<void> check_word(std::string_view option, bool is_known, const std::string& word,
                              std::string_view allowed) {
  if (is_known) return {};
  return base::Error{
      fmt::format("{}: \"{}\" is not allowed; allowed is {}", option, word, allowed)};
}

// The row that the arguments ask for; the error is one of usage.
base::Result<SubmissionRow> row_from(const Context& context, const Arguments& arguments) {
  SubmissionRow row;
  row.sender = sender_from(arguments.sender);
  if (!arguments.require.empty()) row.require = arguments.require;
  if (!arguments.otherwise.empty()) row.otherwise = arguments.otherwise;
  row.min_protocol = given(arguments.min_protocol);
  row.text = given(arguments.text);
  row.owner = given(arguments.owner);
  row.reason = given(arguments.reason);
  row.comment = given(arguments.comment);
  const auto require = check_word("--require", !!model::parse_submission_require(row.require),
                                  row.require, "encrypt or verify");
  if (!require) return base::Error{require.error()};
  const auto otherwise = check_word("--otherwise", !!model::parse_otherwise(row.otherwise),
                                    row.otherwise, "reject, defer, hold, warn or observe");
  if (!otherwise) return base::Error{otherwise.error()};
  const bool is_version = !row.min_protocol || model::parse_tls_version(*row.min_protocol);
  const auto version = check_word("--min-protocol", is_version, arguments.min_protocol,
                                  "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3");
  if (!version) return base::Error{version.error()};
  if (!arguments.expires.empty() && arguments.expires != "never") {
    const auto at = parse_expiry(arguments.expires, context.now);
    if (!at) return base::Error{fmt::format("--expires: {}", at.error())};
    row.expires_at = at->time_since_epoch().count();
  }
  return row;
}

std::string sentence_of(const Context& context, const SubmissionRow& row) {
  auto sentence = fmt::format("{}: mail must go by {}, otherwise {}", row.sender,
                              row.require == "verify" ? "TLS with a certificate that fits" : "TLS",
                              row.otherwise);
  if (row.min_protocol) {
    sentence += fmt::format("; handed in over {} or newer", *row.min_protocol);
  }
  if (row.expires_at) {
    sentence += fmt::format(", until {} ({})", iso_time_of(*row.expires_at),
                            describe_distance(*row.expires_at, context.now));
  }
  return sentence;
}

void warn_where_not_in_force(const Context& context, const SubmissionRow& row) {
  if (row.expires_at && *row.expires_at <= context.now.time_since_epoch().count()) {
    warn(fmt::format("{}: stored, but it expired at {}, so it does not apply", row.sender,
                     iso_time_of(*row.expires_at)));
  }
  if (context.config.mode == model::RowMode::Observe) {
    warn(fmt::format("the daemon's mode is observe ({}): no row is enforced", context.config_file));
  }
  if (context.config.policyd_listen.empty()) {
    warn(fmt::format("policyd_listen is not set ({}), so smtpd(8) can't ask about submitted mail",
                     context.config_file));
  }
}

Exit run_set(const Context& context, const Arguments& arguments) {
  const auto row = row_from(context, arguments);
  if (!row) return refuse_usage(row.error());
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  if (auto stored = db->set_submission(*row); !stored) {
    return fail(terminal_text(
        fmt::format("{}: not stored: {}", row->sender, plain_sentence(stored.error()))));
  }
  if (context.is_json) {
    print_json(to_json(*row));
  } else {
    say(terminal_text(sentence_of(context, *row)));
  }
  warn_where_not_in_force(context, *row);
  return Exit::Done;
}

Exit run_remove(const Context& context, const Arguments& arguments) {
  const auto sender = sender_from(arguments.sender);
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto removed = db->remove_submission(sender);
  if (!removed) {
    return fail(
        terminal_text(fmt::format("{}: not removed: {}", sender, plain_sentence(removed.error()))));
  }
  if (!*removed) {
    return fail(terminal_text(fmt::format("{}: there is no row of this name", sender)));
  }
  if (context.is_json) {
    print_json(Json{{"sender", sender}, {"removed", true}});
  } else {
    say(terminal_text(fmt::format("{}: removed", sender)));
  }
  return Exit::Done;
}

Exit run_list(const Context& context, const Arguments& /*arguments*/) {
  auto db = open_policy_db(context, PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const auto rows = db->list_submission();
  if (!rows) return fail(plain_sentence(rows.error()));
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(to_json(row));
    array.finish();
    return Exit::Done;
  }
  if (rows->empty()) {
    say("no rows: nobody's mail has to go by TLS "
        "(add one with: tlspolicyctl submission set SENDER)");
    return Exit::Done;
  }
  Table table({"sender", "require", "otherwise", "min protocol", "expires", "owner", "reason"});
  for (const auto& row : *rows) {
    table.add({row.sender, row.require, row.otherwise, row.min_protocol.value_or("-"),
               expiry_cell(row.expires_at, context.now), row.owner.value_or("-"),
               row.reason.value_or("-")});
  }
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

void add_set_options(const Verb& set, Arguments& to) {
  set.add_option("SENDER", to.sender,
                 "user@example.com, example.com, .example.com (everything below it), a SASL user, "
                 "or * (everybody)")
      .required();
  set.add_option("--require", to.require,
                 "encrypt, or verify: with a certificate that fits (default: encrypt)");
  set.add_option("--otherwise", to.otherwise,
                 "What happens to mail that is not sure to go so: reject, defer, hold, warn or "
                 "observe (default: reject)");
  set.add_option("--min-protocol", to.min_protocol,
                 "The oldest TLS that the sender's own connection may have, such as TLSv1.2");
  set.add_option("--text", to.text,
                 "What the sender is told; may hold $sender_domain, $recipient_domain, $client, "
                 "$required and $got");
  set.add_option("--owner", to.owner, "Who answers for this row");
  set.add_option("--reason", to.reason, "Why it is there");
  set.add_option("--expires", to.expires,
                 "30m, 4h, 7d, 2w, seconds, a UTC date (2026-11-22T08:15), or never");
  set.add_option("--comment", to.comment, "Anything else");
}

}  // namespace

void add_submission_verbs(const Verb& root, CommandLine& line) {
  const Verb submission =
      root.add_subcommand("submission", "Senders who must be sure that their mail goes by TLS");
  submission.group(kPolicyGroup);
  submission.require_subcommand();
  add_verb(submission, line, "list", "Show every row", run_list);
  const Verb set =
      add_verb(submission, line, "set", "Store a sender's row, in place of the old one", run_set);
  add_set_options(set, line.arguments);
  const Verb remove = add_verb(submission, line, "remove", "Remove a sender's row", run_remove);
  remove.add_option("SENDER", line.arguments.sender, "As it stands in the list").required();
  add_submission_decisions_verb(submission, line);
}

}  // namespace app::ctl
