// watch --changes: what was another than at the check before.
#include <fmt/format.h>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_watch.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

constexpr std::int64_t kMostListed = 1'000'000;

Json json_of(const store::ProbeChangeRow& row) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const auto& change = row.change;
  return {{"seq", row.seq},
          {"at", change.at},
          {"destination", change.destination},
          {"change", model::to_word(change.kind)},
          {"host", or_null(change.host)},
          {"before", or_null(change.before)},
          {"after", or_null(change.after)},
          {"text", change.text}};
}

void print_as_table(const std::vector<store::ProbeChangeRow>& rows) {
  Table table({"at", "destination", "change", "host", "what was found"});
  for (const auto& row : rows) {
    const auto& change = row.change;
    table.add({iso_time_of(change.at), change.destination, std::string(model::to_word(change.kind)),
               change.host.empty() ? "-" : change.host, change.text});
  }
  fmt::print(stdout, "{}", table.render());
}

}  // namespace

Exit print_changes(const Context& context, const Arguments& arguments) {
  const auto since = parse_since(arguments.since, context.now);
  if (!since) return refuse_usage(fmt::format("--since: {}", since.error()));
  const auto key = arguments.destination.empty() ? std::string()
                                                 : model::normalise_key(arguments.destination).text;
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  const auto rows = db->list_probe_changes(*since, key, kMostListed);
  if (!rows) return fail(rows.error());
  if (context.is_json) {
    JsonArray array;
    for (const auto& row : *rows) array.add(json_of(row));
    array.finish();
  } else if (rows->empty()) {
    say(fmt::format("No change{}{}: each check found what the one before had found.",
                    key.empty() ? "" : " of " + terminal_text(key),
                    arguments.since.empty() ? "" : " since then"));
  } else {
    print_as_table(*rows);
  }
  return Exit::Done;
}

}  // namespace app::ctl
