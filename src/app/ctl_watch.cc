// watch: who does what is asked of him, as the last checks found it, and who slipped.
#include "src/app/ctl_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"

namespace app::ctl {
namespace {

// A check is due once a day.
constexpr std::int64_t kStale = 2 * 86'400;

std::string expiry_cell_of(const WatchLine& line, base::sys_seconds now) {
  const auto at = expiry_of(line);
  return at ? fmt::format("{} ({})", iso_time_of(*at), describe_distance(*at, now)) : "-";
}

std::string verdict_cell_of(const WatchLine& line, base::sys_seconds now) {
  auto text = verdict_of(line);
  if (line.probe && now.time_since_epoch().count() - line.probe->record.at > kStale) {
    text += fmt::format(" (checked {})", describe_distance(line.probe->record.at, now));
  }
  return text;
}

void print_as_table(const Context& context, const std::vector<WatchLine>& lines) {
  Table table({"destination", "asked", "does", "since", "expires", "verdict"});
  for (const auto& line : lines) {
    const auto since = since_of(line);
    table.add({line.destination, asked_of(line), does_of(line), since ? iso_time_of(*since) : "-",
               expiry_cell_of(line, context.now), verdict_cell_of(line, context.now)});
  }
  fmt::print(stdout, "{}", table.render());
}

// Of those that were asked for by name: each address.
void print_addresses(const Context& context, const WatchLine& line) {
  if (!line.probe) return;
  const auto& record = line.probe->record;
  say(fmt::format("\n{}, checked {}", terminal_text(line.destination),
                  describe_distance(record.at, context.now)));
  if (record.fault) return say("  " + terminal_text(record.trouble));
  Table table({"host", "address", "TLS", "certificate", "issuer", "expires", "verdict"});
  for (const auto& peer : record.peers) {
    const bool has_certificate = !peer.fingerprint.empty();
    engine::WatchVerdict verdict;
    if (line.asked) verdict = engine::judge_peer(*line.asked, peer, line.destination);
    table.add({peer.host, peer.address,
               peer.protocol.empty() ? "-" : fmt::format("{} {}", peer.protocol, peer.cipher),
               has_certificate ? std::string(model::to_word(peer.trust)) : "-",
               has_certificate ? peer.issuer : "-",
               has_certificate ? iso_time_of(peer.not_after) : "-",
               verdict.delivers == true ? "ok"
               : verdict.delivers       ? "fails: " + verdict.why
               : verdict.why.empty()    ? "-"
                                        : "unknown: " + verdict.why});
  }
  fmt::print(stdout, "{}", table.render(2));
}

Exit run_watch(const Context& context, const Arguments& arguments) {
  if (arguments.checks_now) return check_now(context, arguments);
  if (arguments.shows_changes) return print_changes(context, arguments);
  if (!arguments.since.empty() || !arguments.destination.empty()) {
    return refuse_usage("--since and --destination go with --changes");
  }
  const auto lines = find_watched(context, arguments.destinations);
  if (!lines) return fail(lines.error());
  if (context.is_json) {
    JsonArray array;
    for (const auto& line : *lines) array.add(to_json(line));
    array.finish();
  } else if (lines->empty()) {
    say("Nothing is watched: no row of outbound is stricter than opportunistic, and no destination "
        "was checked yet.");
  } else {
    print_as_table(context, *lines);
    if (!arguments.destinations.empty()) {
      for (const auto& line : *lines) print_addresses(context, line);
    }
  }
  return std::any_of(lines->begin(), lines->end(), is_failing) ? Exit::NotWell : Exit::Done;
}

}  // namespace

void add_watch_verb(const Verb& root, CommandLine& line) {
  const Verb watch =
      add_verb(root, line, "watch",
               "Show which destinations do the TLS that is asked of them, as the last "
               "checks found it; exit 1 where one does not",
               run_watch);
  watch.group(kAskingGroup);
  watch.add_option("DEST", line.arguments.destinations,
                   "These alone, with every address; all that are watched where none is given");
  watch.add_flag("--changes", line.arguments.shows_changes,
                 "What was found to be another than at the check before, newest first");
  watch.add_flag("--now", line.arguments.checks_now,
                 "Have the running daemon check them now, as soon as it may");
  watch.add_option("--since", line.arguments.since, "Changes since: 7d, 4h, or a date: 2026-11-22");
  watch.add_option("--destination", line.arguments.destination, "Changes of this one alone");
}

}  // namespace app::ctl
