#include "src/app/ctl_overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/model/overview.h"
#include "src/wire/overview_json.h"

namespace app::ctl {
namespace {

using model::Overview;

constexpr std::size_t kShown = 5;
constexpr std::size_t kIndent = 2;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string distance(std::int64_t at, base::sys_seconds now) {
  return at == 0 ? "-" : describe_distance(at, now);
}

std::string levels(const std::string& from, const std::string& to) {
  return from.empty() && to.empty() ? "-" : fmt::format("{} -> {}", or_dash(from), or_dash(to));
}

// `add(table, item)` for the first few of them.
template <class Item, class Add>
void print_some(std::string_view title, const std::vector<Item>& items, std::uint64_t total,
                std::string_view verb, std::vector<std::string> columns, Add add) {
  if (items.empty()) return;
  Table table(std::move(columns));
  const auto shown = std::min(items.size(), kShown);
  for (std::size_t i = 0; i < shown; ++i) add(table, items[i]);
  fmt::print(stdout, "\n{}:\n{}", title, table.render(kIndent));
  if (total > shown) {
    say(fmt::format("  {} more: tlspolicyctl {}", total - shown, verb));
  }
}

void print_downgrades(const Overview& overview, base::sys_seconds now) {
  print_some(
      "Downgraded or rerouted, or just back from it", overview.downgrades,
      overview.downgrades_total, "state", {"destination", "phase", "level", "since", "ends", "why"},
      [now](Table& table, const Overview::Downgrade& each) {
        table.add({each.view.empty() ? each.destination
                                     : fmt::format("{} (view {})", each.destination, each.view),
                   each.phase, levels(each.from, each.to), distance(each.since, now),
                   distance(each.until, now), or_dash(each.why)});
      });
}

void print_partners(const Overview& overview, base::sys_seconds now) {
  print_some("Partners that fail", overview.partners, overview.partners_total, "watch",
             {"destination", "host", "since", "put off", "what was seen"},
             [now](Table& table, const Overview::Partner& each) {
               table.add({each.destination, or_dash(each.mx), distance(each.since, now),
                          std::to_string(each.deferred), or_dash(each.text)});
             });
}

void print_certificates(const Overview& overview, base::sys_seconds now) {
  std::uint64_t total = 0;
  for (const auto count : overview.certificates_by_days) total += count;
  print_some("Certificates that lapse next", overview.certificates, total, "watch",
             {"destination", "host", "lapses", "issuer"},
             [now](Table& table, const Overview::Certificate& each) {
               table.add({each.destination, each.host, distance(each.not_after, now),
                          or_dash(each.issuer)});
             });
}

void print_traffic(const Overview& overview) {
  Overview::Hour sum;
  for (const auto& hour : overview.traffic) {
    sum.authenticated += hour.authenticated;
    sum.encrypted += hour.encrypted;
    sum.clear += hour.clear;
    sum.unknown += hour.unknown;
    sum.deferred += hour.deferred;
  }
  if (sum.authenticated + sum.encrypted + sum.clear + sum.unknown + sum.deferred == 0) {
    say("\nMail of the last 24 hours: none was seen.");
    return;
  }
  Table table;
  const auto add = [&table](std::string_view name, std::uint64_t count, std::string_view meaning) {
    table.add({std::string(name), std::to_string(count), std::string(meaning)});
  };
  add("authenticated", sum.authenticated, "TLS with the peer that the policy asked for");
  add("encrypted", sum.encrypted, "TLS, whose certificate it was is not confirmed");
  add("in clear", sum.clear, "without TLS");
  add("unknown", sum.unknown, "nobody saw how");
  add("put off", sum.deferred, "for want of the TLS asked for");
  fmt::print(stdout, "\nMail of the last 24 hours:\n{}", table.render(kIndent));
}

void print_decisions(const Overview& overview, base::sys_seconds now) {
  // How many there are beyond these, the ledger's numbers tell.
  const auto total =
      overview.decisions.empty() ? 0 : static_cast<std::uint64_t>(overview.decisions.front().seq);
  print_some("Last decisions", overview.decisions, total, "decisions",
             {"when", "kind", "destination", "level", "why"},
             [now](Table& table, const Overview::Decided& each) {
               table.add({distance(each.at, now), each.kind, or_dash(each.destination),
                          levels(each.from, each.to), or_dash(each.why)});
             });
}

}  // namespace

void print_overview(const Json& overview, base::sys_seconds now) {
  const auto text = overview.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto parsed = wire::parse_overview(text);
  if (!parsed) return;
  print_downgrades(*parsed, now);
  print_partners(*parsed, now);
  print_certificates(*parsed, now);
  print_traffic(*parsed);
  print_decisions(*parsed, now);
}

}  // namespace app::ctl
