// report: how mail went in a day, a week or a month, what went in clear, and what was lowered.
#include "src/app/ctl_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr const char* kUsual = "week";

// A month is 30 days, so that every report of one is of as many.
std::int64_t span_of(const std::string& word) {
  if (word == "day") return kDay;
  return word == "month" ? 30 * kDay : 7 * kDay;
}

std::int64_t hour_before(std::int64_t at) {
  return at / kHour * kHour;
}

base::Result<Period> period_of(const Context& context, const Arguments& arguments) {
  const std::int64_t now = context.now.time_since_epoch().count();
  Period period{0, now, true};
  if (!arguments.until.empty()) {
    const auto until = parse_since(arguments.until, context.now);
    if (!until) return base::Error{"--until: " + until.error()};
    const auto hour = hour_before(*until + kHour - 1);
    if (hour < now) period = {0, hour, false};
  }
  if (arguments.since.empty()) {
    const auto& word = arguments.period.empty() ? std::string(kUsual) : arguments.period;
    period.since = hour_before(period.until - span_of(word));
  } else if (!arguments.period.empty()) {
    return base::Error{fmt::format("--since: not together with {}; --until is", arguments.period)};
  } else {
    const auto since = parse_since(arguments.since, context.now);
    if (!since) return base::Error{"--since: " + since.error()};
    period.since = hour_before(*since);
  }
  if (period.since >= period.until) {
    return base::Error{fmt::format("the period is empty: it would begin at {} and end at {}",
                                   iso_time_of(period.since), iso_time_of(period.until))};
  }
  return period;
}

base::Result<void> gather(store::StateDb& db, Report& report) {
  ReportDecisions decisions(report.period.since);
  const auto walked = db.walk_decisions(report.destination, report.period.end(),
                                        [&decisions](store::DecisionRow row) {
                                          decisions.add(std::move(row));
                                          return true;
                                        });
  if (!walked) return base::Error{walked.error()};
  report.lowerings = decisions.finish();
  report.lowerings_left_out = decisions.left_out();
  ReportLines lines([&report](ReportLine&& line) { report.sum.add(std::move(line)); });
  const auto listed = db.list_mail(report.destination, report.period.since, report.period.end(),
                                   store::StateDb::MailOrder::ByDestination,
                                   [&lines](const model::HourOfMail& seen) {
                                     lines.add(seen);
                                     return true;
                                   });
  if (!listed) return base::Error{listed.error()};
  lines.finish();
  report.sum.finish();
  return {};
}

Exit run_report(const Context& context, const Arguments& arguments) {
  if (arguments.is_csv && context.is_json) return refuse_usage("--csv: not together with --json");
  const auto period = period_of(context, arguments);
  if (!period) return refuse_usage(period.error());
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  Report report;
  report.period = *period;
  if (!arguments.destination.empty()) {
    report.destination = model::normalise_key(arguments.destination).text;
  }
  if (const auto gathered = gather(*db, report); !gathered) return fail(gathered.error());
  if (arguments.is_csv) return print_as_csv(report, context, *db);
  return context.is_json ? print_as_json(report, context, *db) : print_as_text(report, context);
}

}  // namespace

base::Result<void> for_each_line(const Report& report, store::StateDb& db, const Visit& visit) {
  for (const auto& line : report.sum.lines()) visit(line);
  if (report.sum.left_out() == 0) return {};
  ReportLines rest([&](ReportLine&& line) {
    if (!report.sum.has(line.view, line.destination)) visit(line);
  });
  const auto listed = db.list_mail(report.destination, report.period.since, report.period.end(),
                                   store::StateDb::MailOrder::ByDestination,
                                   [&rest](const model::HourOfMail& seen) {
                                     rest.add(seen);
                                     return true;
                                   });
  if (!listed) return base::Error{listed.error()};
  rest.finish();
  return {};
}

double percent(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return 0;
  return std::round(1000.0 * static_cast<double>(part) / static_cast<double>(whole)) / 10.0;
}

void add_report_verb(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb verb =
      add_verb(root, line, "report",
               "Sum up a period: how mail went, what went in clear, what was lowered", run_report);
  verb.group(kAskingGroup);
  verb.add_option("PERIOD", to.period, "The last 24 hours, 7 days (the default) or 30 days")
      .one_of({"day", "week", "month"});
  verb.add_option("--since", to.since, "Instead: from then on; 14d, or a date: 2026-11-01");
  verb.add_option("--until", to.until, "The end of the period, if that isn't now");
  verb.add_option("--destination", to.destination, "Of this destination alone");
  verb.add_flag("--csv", to.is_csv, "A line for each destination, for a spreadsheet");
}

}  // namespace app::ctl
