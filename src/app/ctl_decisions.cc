// decisions: the ledger, read from state.db itself, with or without a daemon.
#include <fmt/format.h>

#include "src/app/ctl_inbound.h"
#include "src/app/ctl_observed.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/base/counted.h"
#include "src/model/next_hop.h"
#include "src/store/state_db.h"

namespace app::ctl {
namespace {

constexpr std::int64_t kMostListed = 1'000'000;

Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

Json json_of(const store::DecisionRow& row) {
  auto evidence = Json::parse(row.evidence, nullptr, /*allow_exceptions=*/false);
  if (evidence.is_discarded()) evidence = row.evidence;
  return {{"seq", row.seq},
          {"at", row.at},
          {"kind", row.kind},
          {"destination", to_json(row.destination)},
          {"from_level", to_json(row.from_level)},
          {"to_level", to_json(row.to_level)},
          {"rule", to_json(row.rule)},
          {"fallback", to_json(row.fallback)},
          {"evidence", std::move(evidence)},
          {"until", or_null(row.until)},
          {"affected", row.affected},
          {"prev_hash", row.prev_hash},
          {"hash", row.hash},
          {"view", row.view},
          {"why", row.why},
          {"id", row.id}};
}

std::string levels_of(const store::DecisionRow& row) {
  if (!row.from_level && !row.to_level) return "-";
  return fmt::format("{} -> {}", row.from_level.value_or("-"), row.to_level.value_or("-"));
}

Exit verify(const Context& context, store::StateDb& db, const std::string& head) {
  const auto found = db.verify_ledger(head);
  if (!found) return fail(found.error());
  const bool is_whole = found->text.empty();
  if (context.is_json) {
    print_json(Json{{"ok", is_whole},
                    {"decisions", found->rows},
                    {"first_broken", is_whole ? Json() : Json(found->first_broken)},
                    {"text", found->text}});
  } else if (is_whole) {
    const auto newest = db.head();
    say(fmt::format("The ledger is whole: {}{}{}", base::counted(found->rows, "decision"),
                    newest && newest->seq > 0 ? ", newest hash " : "",
                    newest && newest->seq > 0 ? newest->hash : ""));
  } else {
    say("The ledger is broken: " + terminal_text(found->text));
  }
  return is_whole ? Exit::Done : Exit::NotWell;
}

void print_as_table(const std::vector<store::DecisionRow>& rows) {
  Table table({"seq", "at", "kind", "destination", "level", "until", "affected", "row", "why"});
  for (const auto& row : rows) {
    const auto name = row.destination.value_or("-");
    table.add({std::to_string(row.seq), iso_time_of(row.at), row.kind,
               row.view.empty() ? name : fmt::format("{} (view {})", name, row.view),
               levels_of(row), row.until ? iso_time_of(*row.until) : "-",
               std::to_string(row.affected), row.rule.value_or("-"), row.why});
  }
  fmt::print(stdout, "{}", table.render());
}

Exit run_decisions(const Context& context, const Arguments& arguments) {
  const auto since = parse_since(arguments.since, context.now);
  if (!since) return refuse_usage(fmt::format("--since: {}", since.error()));
  if (arguments.is_observed && (arguments.is_verification || !arguments.head.empty())) {
    return refuse_usage(
        "--observed goes with neither --verify nor --head: it is not in the ledger");
  }
  if (arguments.is_inbound) {
    if (arguments.is_observed || arguments.is_verification || !arguments.head.empty() ||
        !arguments.destination.empty()) {
      return refuse_usage("--inbound goes with --since alone");
    }
    return print_inbound_decisions(context, *since);
  }
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  if (arguments.is_verification || !arguments.head.empty()) {
    return verify(context, *db, arguments.head);
  }
  const auto key = arguments.destination.empty() ? std::string()
                                                 : model::normalise_key(arguments.destination).text;
  if (arguments.is_observed) return print_observed(context, *db, key, *since);
  const auto rows = db->list_decisions(*since, key, kMostListed);
  if (!rows) return fail(rows.error());
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(json_of(row));
    array.finish();
  } else if (rows->empty()) {
    say(fmt::format("No decision{}{}: no level was lowered, and nobody used panic or accept.",
                    key.empty() ? "" : " about " + terminal_text(key),
                    arguments.since.empty() ? "" : " since then"));
  } else {
    print_as_table(*rows);
  }
  return Exit::Done;
}

}  // namespace

void add_decisions_verb(const Verb& root, CommandLine& line) {
  const Verb decisions =
      add_verb(root, line, "decisions", "Show the ledger: every downgrade, why, and until when",
               run_decisions);
  decisions.group(kAskingGroup);
  decisions.add_option("--since", line.arguments.since, "7d, 4h, or a date: 2026-11-22");
  decisions.add_option("--destination", line.arguments.destination, "Of this destination alone");
  decisions.add_flag(
      "--observed", line.arguments.is_observed,
      "What rows in mode observe, or all while the daemon observes, would have done");
  decisions.add_flag("--inbound", line.arguments.is_inbound,
                     "Of incoming mail: every message that a rule did not let pass");
  decisions.add_flag("--verify", line.arguments.is_verification,
                     "Check the chain of hashes; exit 1 where it is broken");
  decisions.add_option("--head", line.arguments.head,
                       "A hash known from the daemon's log: find a tail that was cut off");
}

}  // namespace app::ctl
