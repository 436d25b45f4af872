// A report for people: the figures, then the destinations that want attention most, what went in
// clear, and what was lowered.
#include <fmt/format.h>

#include "src/app/ctl_observed.h"
#include "src/app/ctl_report.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/base/counted.h"

namespace app::ctl {
namespace {

using model::Cause;
using model::Traffic;

// Of each listing; --csv and --json have all.
constexpr std::size_t kMostShown = 50;

std::string name_of(std::string_view destination, std::string_view view) {
  return view.empty() ? std::string(destination) : fmt::format("{} (view {})", destination, view);
}

std::string destinations(std::int64_t count) {
  return base::counted(count, "destination");
}

std::string share(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.1f} %", percent(part, whole));
}

// Of those that were put off; the word alone where there is one.
std::string causes_of(const Traffic& traffic) {
  std::string text;
  std::int64_t kinds = 0;
  for (const auto cause : model::kCauses) {
    if (cause == Cause::Plaintext || traffic.count(cause) == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", model::to_word(cause),
                        traffic.count(cause));
    ++kinds;
  }
  return kinds == 0 ? "-" : text;
}

void print_totals(const ReportSum& sum) {
  const auto& total = sum.total();
  say(fmt::format("{} to {}:", base::counted(total.total(), "delivery", "deliveries"),
                  destinations(sum.destinations())));
  Table table;
  const auto add = [&](const char* name, std::int64_t count, const std::string& note) {
    table.add({name, std::to_string(count), share(count, total.total()), note});
  };
  add("authenticated", total.authenticated, "TLS with a certificate that fits");
  add("encrypted", total.encrypted, "TLS, nobody checked with whom");
  const auto fell = total.count(Cause::Plaintext);
  add("in clear", total.clear,
      fmt::format("to {}{}", destinations(sum.destinations_in_clear()),
                  fell > 0 ? fmt::format(", {} after TLS had failed", fell) : ""));
  add("unknown", total.unknown, "nobody saw how");
  add("deferred for TLS", total.deferred, causes_of(total));
  fmt::print(stdout, "{}", table.render(2));
}

void print_destinations(const ReportSum& sum) {
  say("\nDestinations, most mail in clear first, then most deferred:");
  Table table({"destination", "deliveries", "authenticated", "encrypted", "in clear", "unknown",
               "deferred", "causes"});
  for (std::size_t i = 0; i < sum.lines().size() && i < kMostShown; ++i) {
    const auto& [view, destination, traffic] = sum.lines().at(i);
    table.add({name_of(destination, view), std::to_string(traffic.total()),
               std::to_string(traffic.authenticated), std::to_string(traffic.encrypted),
               std::to_string(traffic.clear), std::to_string(traffic.unknown),
               std::to_string(traffic.deferred), causes_of(traffic)});
  }
  fmt::print(stdout, "{}", table.render(2));
  const auto rest = sum.destinations() - static_cast<std::int64_t>(kMostShown);
  if (rest > 0) say(fmt::format("  and {} more; --csv or --json has all", rest));
}

std::string asked_cell(const Asked& asked) {
  if (asked.answer == Asked::Answer::NoRow) return "no row";
  std::string text(to_word(asked.answer));
  if (asked.row.empty()) return text;
  text += fmt::format(": {}", asked.row);
  if (!asked.level || !asked.fallback) return text;
  return text + fmt::format(" ({}: {}, {})", asked.profile, model::to_word(*asked.level),
                            model::to_word(*asked.fallback));
}

void print_plaintext(const ReportSum& sum, const Context& context) {
  if (sum.total().clear == 0) {
    say("\nNo mail was seen to go in clear.");
    return;
  }
  AskedRows rows(context);
  say("\nMail went in clear to, and whether a row of today asks for more:");
  Table table({"destination", "in clear", "of", "share", "after tls failed", "asks for more"});
  std::size_t shown = 0;
  for (const auto& [view, destination, traffic] : sum.lines()) {
    if (traffic.clear == 0 || shown == kMostShown) break;
    table.add({name_of(destination, view), std::to_string(traffic.clear),
               std::to_string(traffic.total()), share(traffic.clear, traffic.total()),
               std::to_string(traffic.count(Cause::Plaintext)), asked_cell(rows.ask(destination))});
    ++shown;
  }
  fmt::print(stdout, "{}", table.render(2));
  const auto rest = sum.destinations_in_clear() - static_cast<std::int64_t>(shown);
  if (rest > 0) say(fmt::format("  and {} more; --csv or --json has all", rest));
}

std::string ended_cell(const Lowering& lowering) {
  if (lowering.ended_at) {
    return fmt::format("{} ({})", iso_time_of(*lowering.ended_at), lowering.ended_by);
  }
  return "-";
}

void print_lowerings(const Report& report) {
  if (report.lowerings.empty()) {
    say("\nNothing was downgraded.");
    return;
  }
  say("\nDowngrades, newest first; tlspolicyctl decisions has the evidence of each:");
  Table table({"seq", "at", "kind", "destination", "level", "until", "ended", "affected", "why"});
  std::size_t shown = 0;
  for (const auto& lowering : report.lowerings) {
    if (shown++ == kMostShown) break;
    const auto& row = lowering.decision;
    const bool has_levels = row.from_level || row.to_level;
    table.add({std::to_string(row.seq), iso_time_of(row.at), row.kind,
               row.destination ? name_of(*row.destination, row.view) : "all",
               has_levels ? fmt::format("{} -> {}", row.from_level.value_or("-"),
                                        row.to_level.value_or("-"))
                          : "-",
               row.until ? iso_time_of(*row.until) : "-", ended_cell(lowering),
               std::to_string(row.affected), row.why});
  }
  fmt::print(stdout, "{}", table.render(2));
  const auto rest = static_cast<std::int64_t>(report.lowerings.size()) -
                    static_cast<std::int64_t>(kMostShown) + report.lowerings_left_out;
  if (rest > 0) say(fmt::format("  and {} older; tlspolicyctl decisions has all", rest));
}

// Why nothing was counted, as far as it can be told from here.
void explain_nothing(const Report& report, const Context& context) {
  say(fmt::format("No delivery{} was counted.",
                  report.destination.empty() ? "" : " to " + terminal_text(report.destination)));
  say("Postfix tells how deliveries end by the map `outcome`, where main.cf has it in "
      "smtp_delivery_status_filter: `tlspolicyctl doctor` looks whether it does.");
  if (context.config.maillog.empty()) {
    say(fmt::format("No mail log is read either: set maillog in {} to the file, or to journald.",
                    terminal_text(context.config_file)));
  } else {
    say(
        fmt::format("The mail log is read as well (maillog = {}): `tlspolicyctl status` says "
                    "how far.",
                    terminal_text(context.config.maillog)));
  }
}

void note_limits(const Report& report, const Context& context) {
  const auto& total = report.sum.total();
  if (total.unknown > 0) say("\n" + explain_unknown(context, total.unknown));
  if (total.untrusted > 0) {
    say(
        fmt::format("\n{} by the word of a source that is not trusted (trust_maillog, "
                    "trust_tcp_outcomes, evidence_uid): counted here, and no answer goes by it.",
                    base::counted(total.untrusted, "delivery", "deliveries")));
  }
  const auto kept_since = context.now.time_since_epoch().count() - store::StateDb::kKeptSeconds;
  if (report.period.since < kept_since) {
    say(
        fmt::format("\nWhat was counted is kept for {} days: of deliveries before {} nothing is "
                    "known. Decisions are kept for ever.",
                    store::StateDb::kKeptSeconds / 86'400, iso_time_of(kept_since)));
  }
}

}  // namespace

Exit print_as_text(const Report& report, const Context& context) {
  say(fmt::format(
      "Mail from {} to {} ({}, UTC){}\n", iso_time_of(report.period.since),
      iso_time_of(report.period.until), describe_span(report.period.until - report.period.since),
      report.destination.empty() ? std::string() : ", to " + terminal_text(report.destination)));
  if (report.sum.destinations() == 0) {
    explain_nothing(report, context);
  } else {
    print_totals(report.sum);
    print_destinations(report.sum);
    print_plaintext(report.sum, context);
  }
  print_lowerings(report);
  note_limits(report, context);
  return Exit::Done;
}

}  // namespace app::ctl
