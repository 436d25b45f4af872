// The end of `probe` for people: one line an address, which profiles would deliver, what to type.
#include <fmt/format.h>

#include "src/app/ctl_probe.h"
#include "src/app/ctl_table.h"

namespace app::ctl {
namespace {

std::string yes_or_no(const std::optional<bool>& answer) {
  return answer ? (*answer ? "yes" : "no") : "unknown";
}

std::vector<std::string> answers_of(std::string name, const engine::WouldDeliver& would) {
  std::vector<std::string> cells{std::move(name)};
  for (const auto& [profile, field] : engine::kProfileAnswers) {
    cells.push_back(yes_or_no(would.*field));
  }
  return cells;
}

std::vector<std::string> row_of(const Context& context, const ProbedTarget& target,
                                const ProbedHost& host, const ProbedEndpoint& endpoint) {
  const auto& seen = endpoint.seen;
  std::vector<std::string> row{target.destination, host.name,
                               fmt::format("[{}]:{}", endpoint.address, endpoint.port)};
  if (!endpoint.refused.empty()) {
    row.insert(row.end(), {"not probed", "-", "-", "-"});
    return row;
  }
  if (endpoint.would.required != true || !seen.tls) {
    const auto cause = seen.outcome.cause ? model::to_word(*seen.outcome.cause) : "unknown";
    row.insert(row.end(), {std::string(cause), "-", "-", "-"});
    return row;
  }
  row.push_back(seen.tls->protocol);
  row.emplace_back(model::to_word(seen.tls->trust));
  if (seen.tls->chain.empty()) {
    row.insert(row.end(), {"-", "-"});
    return row;
  }
  const auto& leaf = seen.tls->chain.front();
  row.emplace_back(model::is_named(leaf, endpoint.expected.host) ? "matches" : "differs");
  const auto days = model::days_left(leaf, context.now.time_since_epoch().count());
  row.push_back(fmt::format("{} d", days));
  return row;
}

std::string status_table(const Context& context, const std::vector<ProbedTarget>& targets) {
  Table table({"target", "mx", "address", "tls", "chain", "name", "expires in"});
  for (const auto& target : targets) {
    if (target.hosts.empty()) table.add({target.destination, "-", "-", target.trouble});
    for (const auto& host : target.hosts) {
      if (host.endpoints.empty()) table.add({target.destination, host.name, "-", host.trouble});
      for (const auto& endpoint : host.endpoints) {
        table.add(row_of(context, target, host, endpoint));
      }
    }
  }
  return table.render();
}

std::string profile_table(const std::vector<ProbedTarget>& targets) {
  std::vector<std::string> names{"would deliver"};
  for (const auto& [profile, field] : engine::kProfileAnswers) names.emplace_back(profile);
  Table table(names);
  for (const auto& target : targets) {
    table.add(answers_of(target.destination, target.would));
    const bool is_one_address = target.hosts.size() == 1 && target.hosts[0].endpoints.size() == 1;
    for (const auto& host : target.hosts) {
      if (host.name != target.destination && target.kind != model::Route::Kind::Literal) {
        table.add(answers_of("  " + host.name, host.would));
      }
      if (is_one_address) continue;
      for (const auto& endpoint : host.endpoints) {
        table.add(answers_of(fmt::format("    [{}]:{}", endpoint.address, endpoint.port),
                             endpoint.would));
      }
    }
  }
  return table.render();
}

}  // namespace

void show_summary(const Context& context, const std::vector<ProbedTarget>& targets, bool is_self) {
  if (targets.size() > 1) fmt::print(stdout, "{}\n", status_table(context, targets));
  fmt::print(stdout, "{}", profile_table(targets));
  if (is_self) return;
  bool is_first = true;
  const auto print = [&is_first](const std::string& line) {
    fmt::print(stdout, "{}  {}\n", is_first ? "\nnext:" : "     ", terminal_text(line));
    is_first = false;
  };
  for (const auto& target : targets) {
    const auto next = next_step(context, target);
    for (const auto& line : next.commands) print(line);
    if (!next.objection.empty()) print(fmt::format("{}: {}", target.destination, next.objection));
  }
}

void show_details(const Context& context, const std::vector<ProbedTarget>& targets) {
  for (const auto& target : targets) {
    say("\n" + terminal_text(fmt::format("{}{}", target.destination,
                                         target.trouble.empty() ? "" : ": " + target.trouble)));
    for (const auto& host : target.hosts) {
      if (!host.trouble.empty()) say("\n" + terminal_text(host.name + ": " + host.trouble));
      for (const auto& endpoint : host.endpoints) {
        say("\n" + title_of(host, endpoint));
        for (const auto& step : endpoint.seen.steps) fmt::print(stdout, "{}", text_of(step));
        fmt::print(stdout, "{}", verdicts_of(endpoint, context.now));
      }
    }
  }
}

}  // namespace app::ctl
