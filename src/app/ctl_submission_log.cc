// submission decisions: what became of submitted mail that a row did not simply let pass. Read from
// state.db, with or without a daemon.
#include <fmt/format.h>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/store/state_db.h"

namespace app::ctl {
namespace {

Json json_of(const store::StateDb::SubmissionRow& row) {
  const auto& one = row.decision;
  return {{"seq", row.seq},           {"at", one.at},
          {"rule", one.rule},         {"step", one.step},
          {"client", one.client},     {"sasl_user", one.sasl_user},
          {"sender", one.sender},     {"recipient", one.recipient},
          {"protocol", one.protocol}, {"required", one.required},
          {"got", one.got},           {"action", one.action}};
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

void print_as_table(const std::vector<store::StateDb::SubmissionRow>& rows) {
  Table table({"at", "action", "row", "user", "sender", "recipient", "required", "got"});
  for (const auto& row : rows) {
    const auto& one = row.decision;
    table.add({iso_time_of(one.at), one.action, one.rule, or_dash(one.sasl_user),
               or_dash(one.sender), or_dash(one.recipient), one.required, or_dash(one.got)});
  }
  fmt::print(stdout, "{}", table.render());
}

Exit run_decisions(const Context& context, const Arguments& arguments) {
  const auto since = parse_since(arguments.since, context.now);
  if (!since) return refuse_usage(fmt::format("--since: {}", since.error()));
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  const auto rows = db->list_submissions(*since, store::StateDb::kMostInbound);
  if (!rows) return fail(rows.error());
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(json_of(row));
    array.finish();
  } else if (rows->empty()) {
    say(fmt::format("No decision{}: every submitted mail that a row is about was let pass.",
                    arguments.since.empty() ? "" : " since then"));
  } else {
    print_as_table(*rows);
  }
  return Exit::Done;
}

}  // namespace

void add_submission_decisions_verb(const Verb& submission, CommandLine& line) {
  add_verb(submission, line, "decisions", "Show the mail that was not simply let pass, and why",
           run_decisions)
      .add_option("--since", line.arguments.since, "7d, 4h, or a date: 2026-11-22");
}

}  // namespace app::ctl
