#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "src/base/time_text.h"
#include "src/model/decision.h"
#include "src/model/destination_state.h"
#include "src/show/html.h"
#include "src/show/page_parts.h"

namespace show {
namespace {

using model::Overview;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kSoon = 13;  // days: the warning of certificates that are watched

// The phase; a word that is not known stands as it is.
std::string phase_text(std::string_view word) {
  const auto phase = model::parse_phase(word);
  if (!phase) return std::string(word);
  switch (*phase) {
    case model::Phase::Normal:
      return "Normal";
    case model::Phase::Downgraded:
      return "Downgraded";
    case model::Phase::Rerouted:
      return "Rerouted";
    case model::Phase::Probation:
      return "On probation";
    case model::Phase::Trial:
      return "On trial";
  }
  return {};
}

bool is_tried_again(std::string_view phase) {
  return phase == "probation" || phase == "trial";
}

std::string kind_text(std::string_view word) {
  const auto kind = model::parse_decision_kind(word);
  if (!kind) return std::string(word);
  switch (*kind) {
    case model::DecisionKind::Downgrade:
      return "Downgraded";
    case model::DecisionKind::Reroute:
      return "Rerouted";
    case model::DecisionKind::Restore:
      return "Restored";
    case model::DecisionKind::Freeze:
      return "Frozen: nothing is lowered";
    case model::DecisionKind::Thaw:
      return "Freeze is over";
    case model::DecisionKind::StarttlsVanished:
      return "STARTTLS vanished";
    case model::DecisionKind::ReOffered:
      return "STARTTLS is back";
    case model::DecisionKind::Reset:
      return "State was reset";
    case model::DecisionKind::Panic:
      return "Panic";
    case model::DecisionKind::Accept:
      return "Policy was accepted";
  }
  return {};
}

std::string levels_text(std::string_view from, std::string_view to) {
  if (from.empty() && to.empty()) return {};
  return fmt::format("{} \u2192 {}", from.empty() ? "\u2013" : from, to.empty() ? "\u2013" : to);
}

// What a list leaves out is said below it.
std::string left_out(std::size_t shown, std::uint64_t total, std::string_view where) {
  if (total <= shown) return {};
  return paragraph("quiet", fmt::format("{} of {} are shown; all: {}", count_text(shown),
                                        count_text(total), where));
}

}  // namespace

std::string end_text(std::int64_t not_after, std::int64_t now) {
  const auto distance = base::describe_distance(not_after, now);
  return not_after <= now ? "ended " + distance : distance;
}

std::string_view urgency_of(std::int64_t not_after, std::int64_t now) {
  if (not_after <= now) return "bad";
  return not_after - now < kSoon * kDay ? "warn" : "plain";
}

std::string downgrades_html(const Overview& overview, std::int64_t now) {
  constexpr std::string_view kHeading = "Downgraded now";
  if (overview.downgrades.empty() && overview.downgrades_total == 0) {
    return section_html("downgraded", kHeading,
                        paragraph("empty", "No destination is downgraded."));
  }
  TableHtml table("Destinations downgraded now", {{"Destination"},
                                                  {"State", TableHtml::Kind::Word},
                                                  {"Why", TableHtml::Kind::Prose},
                                                  {"Since"},
                                                  {"Ends"},
                                                  {"Affected", TableHtml::Kind::Number}});
  for (const auto& each : overview.downgrades) {
    const bool is_tried = is_tried_again(each.phase);
    const auto view = each.view.empty() ? "" : fmt::format("view {}", each.view);
    table.add({with_aside(each.destination, view),
               with_aside(phase_text(each.phase),
                          is_tried ? "TLS is asked for again" : levels_text(each.from, each.to)),
               escape(each.why), time_html(each.since, now, "not known"),
               time_html(each.until, now, is_tried ? "with the next try" : "not known"),
               count_text(static_cast<std::uint64_t>(std::max(each.affected, std::int64_t{0})))});
  }
  return section_html("downgraded", kHeading,
                      table.render() + left_out(overview.downgrades.size(),
                                                overview.downgrades_total, "tlspolicyctl state"));
}

std::string partners_html(const Overview& overview, std::int64_t now) {
  constexpr std::string_view kHeading = "Partners that fail";
  if (overview.partners.empty() && overview.partners_total == 0) {
    return section_html("partners", kHeading,
                        paragraph("empty",
                                  "Every partner does the TLS asked of it, as far as "
                                  "mail and checks have shown."));
  }
  TableHtml table("Partners whose TLS fails", {{"Destination"},
                                               {"What is wrong", TableHtml::Kind::Prose},
                                               {"Since"},
                                               {"Deferred (24 h)", TableHtml::Kind::Number}});
  for (const auto& each : overview.partners) {
    const bool is_said = each.text.find(each.cause) != std::string::npos;
    table.add({with_aside(each.destination, each.mx),
               with_aside(each.text, is_said ? "" : each.cause),
               time_html(each.since, now, "not known"), count_text(each.deferred)});
  }
  return section_html("partners", kHeading,
                      table.render() + left_out(overview.partners.size(), overview.partners_total,
                                                "tlspolicyctl watch"));
}

std::string certificates_html(const Overview& overview, std::int64_t now) {
  constexpr std::string_view kHeading = "Certificates that end next";
  if (overview.certificates.empty()) {
    return section_html(
        "certificates", kHeading,
        paragraph("empty",
                  "No certificate is watched: rows stricter than opportunistic are, once "
                  "their hosts were checked."));
  }
  TableHtml table("Certificates that end next",
                  {{"Host"}, {"Destination"}, {"Ends"}, {"Issuer", TableHtml::Kind::Word}});
  for (const auto& each : overview.certificates) {
    table.add({escape(each.host), escape(each.destination),
               fmt::format("<span class=\"{}\">{}</span><small>{}</small>",
                           urgency_of(each.not_after, now), end_text(each.not_after, now),
                           moment_text(each.not_after)),
               escape(each.issuer)});
  }
  return section_html("certificates", kHeading, table.render());
}

std::string decisions_html(const Overview& overview, std::int64_t now) {
  constexpr std::string_view kHeading = "Last decisions";
  if (overview.decisions.empty()) {
    return section_html("decisions", kHeading,
                        paragraph("empty",
                                  "Nothing was ever decided: no level was lowered, and "
                                  "nobody used panic or accept."));
  }
  TableHtml table("Last decisions, newest first", {{"When"},
                                                   {"What", TableHtml::Kind::Word},
                                                   {"Destination"},
                                                   {"Why", TableHtml::Kind::Prose},
                                                   {"Until"}});
  for (const auto& each : overview.decisions) {
    table.add({time_html(each.at, now, "not known"),
               with_aside(kind_text(each.kind), levels_text(each.from, each.to)),
               each.destination.empty() ? "all" : escape(each.destination), escape(each.why),
               time_html(each.until, now, "\u2013")});
  }
  return section_html("decisions", kHeading,
                      table.render() + paragraph("quiet", "All of them: tlspolicyctl decisions"));
}

}  // namespace show
