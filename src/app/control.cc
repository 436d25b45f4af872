#include "src/app/control.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/app/control_state.h"
#include "src/app/version.h"
#include "src/jobs/compare_images.h"
#include "src/model/overview.h"

namespace app {
namespace {

using jobs::Publisher;
using nlohmann::json;

std::string to_hex(std::uint64_t digest) {
  return fmt::format("{:016x}", digest);
}

json describe_image(const std::optional<image::Stamp>& stamp) {
  if (!stamp) return nullptr;
  return {{"digest", to_hex(stamp->digest)},
          {"built_at", stamp->built_at},
          {"rows", stamp->rows},
          {"faulty_rows", stamp->faulty_rows},
          {"profiles", stamp->profiles},
          {"inbound_rules", stamp->inbound_rules},
          {"submission_rules", stamp->submission_rules}};
}

json describe_answer(const std::optional<wire::AnswerStats>& stats) {
  if (!stats) return nullptr;
  return {{"pid", stats->pid},
          {"digest", to_hex(stats->digest)},
          {"connections", stats->connections},
          {"lookups", stats->ok + stats->not_found + stats->temp + stats->perm},
          {"ok", stats->ok},
          {"not_found", stats->not_found},
          {"temp", stats->temp},
          {"perm", stats->perm},
          {"malformed", stats->malformed},
          {"stalled", stats->stalled},
          {"policyd", stats->policyd}};
}

json describe_net(const std::optional<wire::NetStats>& stats) {
  if (!stats) return nullptr;
  return {{"pid", stats->pid},        {"watched", stats->watched}, {"waiting", stats->waiting},
          {"open", stats->open},      {"checks", stats->checks},   {"put_off", stats->put_off},
          {"probes", stats->probes},  {"refused", stats->refused}, {"evidence", stats->evidence},
          {"dropped", stats->dropped}};
}

json describe(const engine::Difference& difference) {
  return {{"rows_before", difference.rows_before},
          {"rows_after", difference.rows_after},
          {"dropped", difference.dropped},
          {"weakened", difference.weakened}};
}

// The sums, and each table by itself.
json describe(const std::vector<engine::Difference>& differences) {
  engine::Difference sum;
  json tables = json::array();
  for (const auto& each : differences) {
    sum.rows_before += each.rows_before;
    sum.rows_after += each.rows_after;
    sum.dropped += each.dropped;
    sum.weakened += each.weakened;
    tables.push_back(describe(each));
    tables.back()["table"] = each.table;
  }
  auto described = describe(sum);
  described["tables"] = std::move(tables);
  return described;
}

json describe_pending(const Publisher::Status& status) {
  if (status.pending.empty()) return nullptr;
  auto described = describe(status.pending);
  described["since"] = status.since.time_since_epoch().count();
  return described;
}

// How often each kind rose since the role that raises it started; "alarms" are those that stand.
json describe_raised(ControlDesk& desk, const std::optional<wire::AnswerStats>& stats) {
  const auto raised = stats ? stats->alarms : wire::AlarmCounts();
  const auto ledger = desk.keeper().alarms_raised();
  json described{{"downgrade", raised.downgrade},
                 {"tls-failing", raised.tls_failing},
                 {"starttls-vanished", raised.starttls_vanished},
                 {"freeze", raised.freeze},
                 {"ledger", ledger}};
  auto total =
      raised.downgrade + raised.tls_failing + raised.starttls_vanished + raised.freeze + ledger;
  for (const auto& [what, count] : desk.probes().alarms_raised()) {
    described[what] = count;
    total += count;
  }
  described["total"] = total;
  return described;
}

json answer_status(ControlDesk& desk) {
  const ControlDesk::Report report = desk.report();
  const Publisher::Status& status = *report.publisher;
  json faults = json::array();
  for (const auto& fault : status.faults) {
    faults.push_back({{"table", fault.table_name}, {"key", fault.key}, {"why", fault.why}});
  }
  auto troubles = desk.troubles(report);
  const auto shown = std::min(troubles.size(), model::kMostShownTroubles);
  const auto left_out = troubles.size() - shown;
  const bool is_well = status.state == Publisher::State::Live && troubles.empty();
  troubles.resize(shown);
  return {{"ok", is_well},
          {"version", kVersion},
          {"mode", report.mode},
          {"pid", ::getppid()},
          {"image", describe_image(status.in_force)},
          {"answer", describe_answer(report.answer)},
          {"net", describe_net(report.net)},
          {"policy_db",
           {{"path", report.policy_db},
            {"state", to_word(status.state)},
            {"code", status.code},
            {"text", status.text},
            {"since", status.since.time_since_epoch().count()}}},
          {"pending", describe_pending(status)},
          {"feedback", describe_feedback(desk, report.answer)},
          {"faults", std::move(faults)},
          {"fault_count", status.fault_count},
          {"alarms", report.alarms},
          {"troubles", std::move(troubles)},
          {"troubles_left_out", left_out},
          {"alarms_raised", describe_raised(desk, report.answer)},
          {"overview", json::parse(desk.overview(), nullptr, false)}};
}

json answer_accept(ControlDesk& desk) {
  const Publisher::Accepted accepted = desk.accept();
  if (!accepted.trouble.empty()) {
    return {{"ok", false}, {"error", fmt::format("nothing is accepted: {}", accepted.trouble)}};
  }
  auto answered = describe(accepted.differences);
  answered["ok"] = true;
  answered["published"] = accepted.published;
  answered["rows"] = answered["rows_after"];
  answered["text"] = accepted.published ? "published: " + jobs::describe_taken(accepted.differences)
                                        : "nothing waits to be accepted";
  return answered;
}

json answer(ControlDesk& desk, std::string_view request) {
  const json asked = json::parse(request, nullptr, false);
  const auto verb = asked.is_object() && asked.contains("verb") ? asked["verb"] : json();
  if (verb == "status") return answer_status(desk);
  if (verb == "overview") {
    return {{"ok", true}, {"overview", json::parse(desk.overview(), nullptr, false)}};
  }
  if (verb == "accept") return answer_accept(desk);
  if (verb.is_string()) {
    if (auto answered = answer_state_verb(desk, verb.get<std::string>(), asked)) return *answered;
  }
  return {{"ok", false},
          {"error",
           "unknown verb; status, overview, accept, state, reset, panic, trace and watch-now are "
           "known"}};
}

}  // namespace

std::string_view to_word(Publisher::State state) {
  switch (state) {
    case Publisher::State::Starting:
      return "starting";
    case Publisher::State::Live:
      return "live";
    case Publisher::State::Waiting:
      return "waiting";
    case Publisher::State::Trouble:
      return "trouble";
  }
  return "";
}

net::Session::Step ControlSession::receive(std::string_view in, std::string& out) {
  const auto end = in.find('\n');
  if (end == std::string_view::npos) return {0, in.size() > kLongestControlRequest};
  // Keys and texts of the database may hold any bytes; what can't be UTF-8 is shown as U+FFFD.
  out += answer(desk_, in.substr(0, end)).dump(-1, ' ', false, json::error_handler_t::replace);
  out += '\n';
  return {end + 1, true};
}

}  // namespace app
