// inbound report and decisions --inbound: what became of incoming mail, read from state.db itself.
#include <fmt/format.h>

#include <map>
#include <tuple>

#include "src/app/ctl_inbound.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/store/state_db.h"

namespace app::ctl {
namespace {

constexpr std::int64_t kMostListed = 1'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::string_view kUsualSpan = "7d";

// One rule and one partner.
struct Line {
  std::int64_t rule = 0;
  std::string partner;
  std::string network;
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::vector<model::InboundCount> reasons;
};

std::vector<Line> lines_of(const std::vector<store::StateDb::InboundSum>& sums) {
  std::vector<Line> lines;
  for (const auto& [count, last_hour] : sums) {
    const auto& tally = count.tally;
    const bool is_same = !lines.empty() && lines.back().rule == tally.rule &&
                         lines.back().partner == tally.sender_domain &&
                         lines.back().network == tally.network;
    if (!is_same) {
      lines.push_back({tally.rule, tally.sender_domain, tally.network, 0, 0, tally.hour, 0, {}});
    }
    auto& line = lines.back();
    line.first = std::min(line.first, tally.hour);
    line.last = std::max(line.last, last_hour);
    if (tally.action.empty()) {
      line.passed += count.count;
    } else {
      line.failed += count.count;
      line.reasons.push_back(count);
    }
  }
  return lines;
}

std::string describe_reasons(const Line& line) {
  std::string text;
  for (const auto& [tally, count] : line.reasons) {
    text += fmt::format("{}{} x {}", text.empty() ? "" : "; ", count, tally.action);
    if (!tally.required.empty()) text += fmt::format(": {}, got {}", tally.required, tally.got);
  }
  return text.empty() ? "-" : text;
}

Json json_of(const Line& line, const store::InboundRow* row) {
  Json reasons = Json::array();
  for (const auto& [tally, count] : line.reasons) {
    reasons.push_back({{"action", tally.action},
                       {"required", tally.required},
                       {"got", tally.got},
                       {"count", count}});
  }
  const auto column = [row](const std::string model::InboundRule::*field) {
    return row == nullptr || (row->rule.*field).empty() ? Json() : Json(row->rule.*field);
  };
  return {{"rule", line.rule},
          {"client", column(&model::InboundRule::client)},
          {"sender", column(&model::InboundRule::sender)},
          {"on_violation", row == nullptr ? Json() : Json(model::to_word(row->rule.on_violation))},
          {"partner", line.partner},
          {"network", line.network},
          {"passed", line.passed},
          {"failed", line.failed},
          {"reasons", std::move(reasons)},
          {"first", line.first},
          {"last", line.last + kHour}};
}

void print_as_table(const std::vector<Line>& lines,
                    const std::map<std::int64_t, store::InboundRow>& rows) {
  Table table({"rule", "client", "sender", "partner", "network", "passed", "failed", "why"});
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> sums;
  for (const auto& line : lines) {
    const auto row = rows.find(line.rule);
    const bool is_there = row != rows.end();
    const auto any = [](const std::string& text) { return text.empty() ? "any" : text; };
    table.add({std::to_string(line.rule), is_there ? any(row->second.rule.client) : "removed",
               is_there ? any(row->second.rule.sender) : "removed", line.partner,
               line.network.empty() ? "-" : line.network, std::to_string(line.passed),
               std::to_string(line.failed), describe_reasons(line)});
    sums[line.rule].first += line.passed;
    sums[line.rule].second += line.failed;
  }
  fmt::print(stdout, "{}\n", table.render());
  for (const auto& [rule, sum] : sums) {
    const auto row = rows.find(rule);
    const bool is_soft =
        row != rows.end() && row->second.rule.on_violation == model::OnViolation::Observe;
    say(fmt::format("Rule {}: {} of {} messages passed{}", rule, sum.first, sum.first + sum.second,
                    is_soft && sum.second == 0 ? "; `reject` would have stopped none."
                    : is_soft ? fmt::format("; `reject` would have stopped {}.", sum.second)
                              : "."));
  }
}

Exit run_report(const Context& context, const Arguments& arguments) {
  const auto& text = arguments.since.empty() ? std::string(kUsualSpan) : arguments.since;
  const auto since = parse_since(text, context.now);
  if (!since) return refuse_usage(fmt::format("--since: {}", since.error()));
  auto policy = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!policy) return fail(policy.error());
  const auto rules = policy->list_inbound();
  if (!rules) return fail(plain_sentence(rules.error()));
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  const auto sums = db->sum_inbound(*since / kHour * kHour);
  if (!sums) return fail(sums.error());
  std::map<std::int64_t, store::InboundRow> rows;
  for (const auto& row : *rules) rows.emplace(row.rule.id, row);
  const auto lines = lines_of(*sums);
  if (context.is_json) {
    JsonArray array;
    for (const auto& line : lines) {
      const auto row = rows.find(line.rule);
      array.add(json_of(line, row == rows.end() ? nullptr : &row->second));
    }
    array.finish();
  } else if (lines.empty()) {
    say("No mail was judged by a rule since then. smtpd asks where check_policy_service names "
        "policyd_listen; postfix-examples/inbound shows where.");
  } else {
    print_as_table(lines, rows);
  }
  return Exit::Done;
}

}  // namespace

Exit print_inbound_decisions(const Context& context, std::int64_t since) {
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return fail(db.error());
  const auto rows = db->list_inbound(since, kMostListed);
  if (!rows) return fail(rows.error());
  if (context.is_json) {
    JsonArray array;
    for (const auto& [seq, one] : *rows) {
      array.add({{"seq", seq},
                 {"at", one.at},
                 {"rule", one.rule},
                 {"step", one.step},
                 {"client", one.client},
                 {"client_name", one.client_name},
                 {"sender", one.sender},
                 {"protocol", one.protocol},
                 {"required", one.required},
                 {"got", one.got},
                 {"action", one.action}});
    }
    array.finish();
    return Exit::Done;
  }
  if (rows->empty()) {
    say("No incoming message came short of a rule since then.");
    return Exit::Done;
  }
  Table table({"seq", "at", "rule", "client", "sender", "required", "got", "action"});
  for (const auto& [seq, one] : *rows) {
    const bool is_verified = !one.client_name.empty() && one.client_name != "unknown";
    table.add({std::to_string(seq), iso_time_of(one.at), std::to_string(one.rule),
               is_verified ? fmt::format("{}[{}]", one.client_name, one.client) : one.client,
               one.sender.empty() ? "<>" : one.sender, one.required.empty() ? "-" : one.required,
               one.got.empty() ? "-" : one.got, one.action});
  }
  fmt::print(stdout, "{}", table.render());
  return Exit::Done;
}

void add_inbound_report_verb(const Verb& inbound, CommandLine& line) {
  add_verb(inbound, line, "report",
           "Show per rule and partner what passed, what failed or would have, and why", run_report)
      .add_option("--since", line.arguments.since, "7d (the default), 4h, or a date: 2026-11-22");
}

}  // namespace app::ctl
