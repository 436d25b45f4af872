#include "src/app/ctl_observed.h"

#include <fmt/format.h>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/observed_sum.h"
#include "src/base/counted.h"

namespace app::ctl {
namespace {

using engine::Ending;
using engine::Foreseen;

// Counts are kept by the hour.
constexpr std::int64_t kHour = 3600;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Json json_of(const ObservedLine& line) {
  return {{"destination", line.destination},
          {"view", line.view},
          {"row", line.row},
          {"profile", line.profile.empty() ? Json() : Json(line.profile)},
          {"level", line.levels},
          {"deliveries", line.seen.deliveries},
          {"tls", line.seen.count(Ending::Tls)},
          {"clear", line.seen.count(Ending::Clear)},
          {"unknown", line.seen.count(Ending::Unknown)},
          {"failed", line.seen.count(Ending::Failed)},
          {"would_pass", line.seen.count(Foreseen::Passed)},
          {"would_wait", line.seen.count(Foreseen::Waited)},
          {"would_bounce", line.seen.count(Foreseen::Bounced)},
          {"undecided", line.seen.count(Foreseen::Unknown)},
          {"untrusted", line.seen.untrusted},
          {"source", model::to_word(line.source)},
          {"first", line.first},
          {"last", line.last}};
}

void print_as_table(const std::vector<ObservedLine>& lines) {
  Table table({"destination", "row", "profile", "level", "deliveries", "tls", "clear", "unknown",
               "failed", "would pass", "would wait", "would bounce", "undecided"});
  for (const auto& line : lines) {
    std::vector<std::string> cells{line.view.empty()
                                       ? line.destination
                                       : fmt::format("{} (view {})", line.destination, line.view),
                                   line.row, line.profile.empty() ? "-" : line.profile,
                                   joined(line.levels), std::to_string(line.seen.deliveries)};
    for (const auto ending : {Ending::Tls, Ending::Clear, Ending::Unknown, Ending::Failed}) {
      cells.push_back(std::to_string(line.seen.count(ending)));
    }
    for (const auto what :
         {Foreseen::Passed, Foreseen::Waited, Foreseen::Bounced, Foreseen::Unknown}) {
      cells.push_back(std::to_string(line.seen.count(what)));
    }
    table.add(std::move(cells));
  }
  fmt::print(stdout, "{}", table.render());
}

void explain_undecided(const Context& context, const std::vector<ObservedLine>& lines) {
  std::int64_t unknown = 0;
  for (const auto& line : lines) unknown += line.seen.count(Ending::Unknown);
  if (unknown > 0) say("\n" + explain_unknown(context, unknown));
}

}  // namespace

std::string explain_unknown(const Context& context, std::int64_t deliveries) {
  return fmt::format(
      "Of {} nobody saw whether {} went in TLS: where main.cf says `may`, Postfix "
      "does not tell the map `outcome`. {}",
      base::counted(deliveries, "delivery", "deliveries"),
      base::one_or_many(deliveries, "it", "they"),
      context.config.maillog.empty()
          ? "Its log does: set maillog in " + terminal_text(context.config_file) +
                " and smtp_tls_loglevel = 1 in main.cf."
          : "Its log does, with smtp_tls_loglevel = 1 in main.cf.");
}

Exit print_observed(const Context& context, store::StateDb& db, const std::string& destination,
                    std::int64_t since) {
  ObservedSum sum;
  const auto listed = db.list_observed(destination, since / kHour * kHour,
                                       [&sum](const store::ObservedCount& count) {
                                         sum.add(count);
                                         return true;
                                       });
  if (!listed) return fail(listed.error());
  const auto lines = sum.finish();
  if (context.is_json) {
    JsonArray array;
    for (const auto& line : lines) array.add(json_of(line));
    array.finish();
  } else if (lines.empty()) {
    say("Nothing was observed: no delivery was seen to a destination whose row, or whose daemon, "
        "is "
        "in mode observe. Deliveries are seen through the map `outcome` in "
        "smtp_delivery_status_filter, or through `maillog`; `tlspolicyctl doctor` looks at both.");
  } else {
    print_as_table(lines);
    explain_undecided(context, lines);
  }
  return Exit::Done;
}

}  // namespace app::ctl
