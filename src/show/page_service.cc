#include <fmt/format.h>

#include <array>
#include <map>

#include "src/base/time_text.h"
#include "src/show/html.h"
#include "src/show/page_parts.h"

namespace show {
namespace {

using model::Overview;

std::string fact(std::string_view name, const std::string& html) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html);
}

std::string policy_html(const Overview& overview, std::int64_t now) {
  std::string facts;
  if (overview.image) {
    const auto& image = *overview.image;
    facts += fact("Policy", fmt::format("{}, {} faulty, {}", count_text(image.rows, "row", "rows"),
                                        count_text(image.faulty_rows),
                                        count_text(image.profiles, "profile", "profiles")));
    facts +=
        fact("Mail rules", fmt::format("{} inbound, {} submission", count_text(image.inbound_rules),
                                       count_text(image.submission_rules)));
    facts += fact("Built", time_html(image.built_at, now, "not known"));
    facts += fact("Digest", escape(image.digest));
  } else {
    facts += fact("Policy", overview.mode == "observe"
                                ? "none is in force: every answer is NOTFOUND, main.cf decides"
                                : "none is in force: every answer is TEMP, and mail waits");
  }
  const auto state = overview.policy_state.empty() ? "not known" : escape(overview.policy_state);
  facts += fact("policy.db", overview.policy_waits_since == 0
                                 ? state
                                 : fmt::format("{}; a change waits since {}", state,
                                               time_html(overview.policy_waits_since, now, "")));
  facts += fact("Mode", overview.mode.empty() ? "not known" : escape(overview.mode));
  return facts;
}

std::string counts_html(const Overview& overview) {
  std::string facts;
  facts += fact(
      "Connections",
      fmt::format("{} open; {} broke the protocol, {} stalled", count_text(overview.connections),
                  count_text(overview.malformed), count_text(overview.stalled)));
  facts += fact("Requests of smtpd", count_text(overview.policyd_requests));
  facts += fact("Evidence not used",
                fmt::format("{} outcomes without a question, {} not trusted, "
                            "{} datagrams refused",
                            count_text(overview.orphans), count_text(overview.untrusted),
                            count_text(overview.datagrams_refused)));
  std::string drops;
  for (const auto& [where, count] : overview.drops) {
    if (count == 0) continue;
    drops += fmt::format("{}{} by {}", drops.empty() ? "" : ", ", count_text(count), escape(where));
  }
  facts += fact("Evidence dropped", drops.empty() ? "none" : drops);
  if (overview.checks) {
    const auto& checks = *overview.checks;
    facts += fact("Watched", fmt::format("{}: {} do what is asked, {} fail, {} unknown",
                                         count_text(checks.watched, "destination", "destinations"),
                                         count_text(checks.compliant), count_text(checks.failing),
                                         count_text(checks.unknown)));
    facts += fact("Checks", fmt::format("{}, {} put off; {} made, {} refused",
                                        count_text(checks.checks), count_text(checks.put_off),
                                        count_text(checks.probes, "probe", "probes"),
                                        count_text(checks.refused)));
  } else {
    facts += fact("Watched", "no destination");
  }
  return facts;
}

std::string roles_html(const Overview& overview) {
  if (overview.roles.empty()) return {};
  TableHtml table(
      "Roles", {{"Role", TableHtml::Kind::Word}, {"State"}, {"Restarts", TableHtml::Kind::Number}},
      TableHtml::Layout::Compact);
  for (const auto& role : overview.roles) {
    table.add({escape(role.name),
               role.pid > 0 ? fmt::format("runs, pid {}", role.pid)
                            : std::string("<span class=\"bad\">does not run</span>"),
               count_text(role.restarts)});
  }
  return "<h3>Roles</h3>\n" + table.render();
}

constexpr std::array<std::string_view, 4> kStatuses{"OK", "NOTFOUND", "TEMP", "PERM"};

std::string answers_html(const Overview& overview) {
  struct Row {
    std::array<std::uint64_t, kStatuses.size()> counts{};
    std::uint64_t all = 0;
  };
  std::map<std::string_view, Row> rows;
  for (const auto& [map, status, count] : overview.answers) {
    if (count == 0) continue;  // what nobody asks is left out
    auto& row = rows[map];
    row.all += count;
    for (std::size_t i = 0; i < kStatuses.size(); ++i) {
      if (status == kStatuses[i]) row.counts[i] += count;
    }
  }
  if (rows.empty()) return {};
  std::vector<TableHtml::Column> columns{{"Map", TableHtml::Kind::Word}};
  for (const auto status : kStatuses) columns.push_back({status, TableHtml::Kind::Number});
  columns.push_back({"All", TableHtml::Kind::Number});
  TableHtml table("Answers by map", columns);
  for (const auto& [map, row] : rows) {
    std::vector<std::string> cells{escape(map)};
    for (const auto count : row.counts) cells.push_back(count_text(count));
    cells.push_back(count_text(row.all));
    table.add(cells);
  }
  return "<h3>Answers by map</h3>\n" + table.render();
}

std::string evidence_html(const Overview& overview) {
  std::map<model::Cause, std::array<std::uint64_t, model::kSources.size()>> rows;
  for (const auto& [source, outcome, count] : overview.evidence) {
    if (outcome.cause) rows[*outcome.cause].at(static_cast<std::size_t>(source)) += count;
  }
  if (rows.empty()) return {};
  TableHtml table("What TLS failed on, by who saw it", {{"Cause", TableHtml::Kind::Word},
                                                        {"outcome", TableHtml::Kind::Number},
                                                        {"maillog", TableHtml::Kind::Number},
                                                        {"tlsrpt", TableHtml::Kind::Number},
                                                        {"probe", TableHtml::Kind::Number}});
  for (const auto& [cause, counts] : rows) {
    std::vector<std::string> cells{escape(to_word(cause))};
    for (const auto count : counts) cells.push_back(count_text(count));
    table.add(cells);
  }
  return "<h3>What TLS failed on, by who saw it</h3>\n" + table.render();
}

std::string bound_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} \u00b5s", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  return fmt::format("{:.0f} s", seconds);
}

}  // namespace

std::string slowest_text(const Overview& overview) {
  double all = 0;
  for (const auto count : overview.latency) all += static_cast<double>(count);
  if (all <= 0) return {};
  double so_far = 0;
  for (std::size_t i = 0; i < Overview::kLatencyBounds.size(); ++i) {
    so_far += static_cast<double>(overview.latency[i]);
    if (so_far >= 0.99 * all) {
      return fmt::format("99 % within {}", bound_text(Overview::kLatencyBounds[i]));
    }
  }
  return fmt::format("more than 1 % took over {}", bound_text(Overview::kLatencyBounds.back()));
}

std::string service_html(const Overview& overview, std::int64_t now) {
  return section_html(
      "service", "The service",
      fmt::format(
          "<div class=\"halves\">\n<dl class=\"facts\">\n{}{}</dl>\n<div>{}{}{}</div>\n</div>\n",
          policy_html(overview, now), counts_html(overview), roles_html(overview),
          answers_html(overview), evidence_html(overview)));
}

}  // namespace show
