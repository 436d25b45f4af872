// A report as JSON or CSV: every destination is in it, one at a time.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "src/app/ctl_report.h"
#include "src/app/ctl_time.h"
#include "src/base/text.h"
#include "src/wire/csv.h"

namespace app::ctl {
namespace {

using model::Cause;
using model::Traffic;

Json causes_of(const Traffic& traffic) {
  Json causes = Json::object();
  for (const auto cause : model::kCauses) {
    if (traffic.count(cause) > 0) causes[std::string(model::to_word(cause))] = traffic.count(cause);
  }
  return causes;
}

void put_traffic(Json& object, const Traffic& traffic) {
  object["deliveries"] = traffic.total();
  object["authenticated"] = traffic.authenticated;
  object["encrypted"] = traffic.encrypted;
  object["clear"] = traffic.clear;
  object["unknown"] = traffic.unknown;
  object["deferred"] = traffic.deferred;
  object["untrusted"] = traffic.untrusted;
  object["causes"] = causes_of(traffic);
}

Json json_of(const ReportLine& line) {
  Json object{{"destination", line.destination}, {"view", line.view}};
  put_traffic(object, line.traffic);
  return object;
}

Json json_of(const ReportSum& sum) {
  const auto& traffic = sum.total();
  Json object{{"destinations", sum.destinations()}, {"in_clear", sum.destinations_in_clear()}};
  put_traffic(object, traffic);
  object["percent"] = {{"authenticated", percent(traffic.authenticated, traffic.total())},
                       {"encrypted", percent(traffic.encrypted, traffic.total())},
                       {"clear", percent(traffic.clear, traffic.total())},
                       {"unknown", percent(traffic.unknown, traffic.total())},
                       {"deferred", percent(traffic.deferred, traffic.total())}};
  return object;
}

Json json_of(const ReportLine& line, const Asked& asked) {
  const auto text = [](const std::string& word) { return word.empty() ? Json() : Json(word); };
  return {{"destination", line.destination},
          {"view", line.view},
          {"clear", line.traffic.clear},
          {"deliveries", line.traffic.total()},
          {"after_tls_failed", line.traffic.count(Cause::Plaintext)},
          {"asked_more", to_word(asked.answer)},
          {"row", text(asked.row)},
          {"profile", text(asked.profile)},
          {"level", asked.level ? Json(model::to_word(*asked.level)) : Json()},
          {"fallback", asked.fallback ? Json(model::to_word(*asked.fallback)) : Json()}};
}

Json or_null(std::optional<std::int64_t> number) {
  return number ? Json(*number) : Json();
}

Json json_of(const Lowering& lowering) {
  const auto& row = lowering.decision;
  const bool is_over = lowering.ended_at.has_value();
  return {{"seq", row.seq},
          {"at", row.at},
          {"kind", row.kind},
          {"destination", to_json(row.destination)},
          {"view", row.view},
          {"from_level", to_json(row.from_level)},
          {"to_level", to_json(row.to_level)},
          {"rule", to_json(row.rule)},
          {"fallback", to_json(row.fallback)},
          {"why", row.why},
          {"until", or_null(row.until)},
          {"affected", row.affected},
          {"ended_at", or_null(lowering.ended_at)},
          {"ended_by", is_over ? Json(lowering.ended_by) : Json()},
          {"ended_seq", is_over ? Json(lowering.ended_seq) : Json()}};
}

std::string causes_text(const Traffic& traffic) {
  std::string text;
  for (const auto cause : model::kCauses) {
    if (traffic.count(cause) == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", model::to_word(cause),
                        traffic.count(cause));
  }
  return text;
}

// Seqs of the decisions about each destination and view.
using Seqs = std::map<std::pair<std::string, std::string>, std::string>;
Seqs seqs_of(const Report& report) {
  Seqs seqs;
  for (const auto& [decision, ended_at, ended_by, ended_seq] : report.lowerings) {
    auto& text = seqs[{decision.destination.value_or(""), decision.view}];
    text += fmt::format("{}{}", text.empty() ? "" : " ", decision.seq);
  }
  return seqs;
}

constexpr std::string_view kCsvHead =
    "since,until,destination,view,deliveries,authenticated,encrypted,clear,unknown,deferred,"
    "untrusted,causes,asked_more,row,profile,level,fallback,decisions\r\n";

// Lines end with CR LF (RFC 4180, 2). Names are whatever somebody asked for.
std::string csv_of(const Period& period, const ReportLine& line, AskedRows& rows,
                   const std::string& seqs) {
  const auto& traffic = line.traffic;
  std::string out = fmt::format("{},{}", iso_time_of(period.since), iso_time_of(period.until));
  const auto put = [&out](std::string_view text) {
    out += ',';
    wire::append_csv_text(out, terminal_text(text));
  };
  put(line.destination);
  put(line.view);
  out += fmt::format(",{},{},{},{},{},{},{}", traffic.total(), traffic.authenticated,
                     traffic.encrypted, traffic.clear, traffic.unknown, traffic.deferred,
                     traffic.untrusted);
  put(causes_text(traffic));
  const bool is_clear = traffic.clear > 0;
  const Asked asked = is_clear ? rows.ask(line.destination) : Asked{};
  put(is_clear ? to_word(asked.answer) : "");
  put(asked.row);
  put(asked.profile);
  put(asked.level ? model::to_word(*asked.level) : "");
  put(asked.fallback ? model::to_word(*asked.fallback) : "");
  put(seqs);
  out += "\r\n";
  return out;
}

void print_plaintext(const Report& report, const Context& context) {
  AskedRows rows(context);
  JsonArray array;
  for (const auto& line : report.sum.lines()) {
    if (line.traffic.clear == 0) break;  // those come first
    array.add(json_of(line, rows.ask(line.destination)));
  }
  array.finish();
}

}  // namespace

Exit print_as_json(const Report& report, const Context& context, store::StateDb& db) {
  fmt::print(stdout, "{{\n\"since\":{},\n\"until\":{},\n\"totals\":{},\n\"plaintext\":",
             report.period.since, report.period.until, json_of(report.sum).dump());
  print_plaintext(report, context);
  fmt::print(stdout, ",\"downgrades\":");
  JsonArray lowerings;
  for (const auto& lowering : report.lowerings) lowerings.add(json_of(lowering));
  lowerings.finish();
  fmt::print(stdout, ",\"downgrades_left_out\":{},\n\"destinations\":", report.lowerings_left_out);
  JsonArray lines;
  const auto walked =
      for_each_line(report, db, [&lines](const ReportLine& line) { lines.add(json_of(line)); });
  lines.finish();
  fmt::print(stdout, "}}\n");
  return walked ? Exit::Done : fail(walked.error());
}

Exit print_as_csv(const Report& report, const Context& context, store::StateDb& db) {
  AskedRows rows(context);
  const auto seqs = seqs_of(report);
  fmt::print(stdout, "{}", kCsvHead);
  const auto walked = for_each_line(report, db, [&](const ReportLine& line) {
    const auto found = seqs.find({line.destination, line.view});
    fmt::print(
        stdout, "{}",
        csv_of(report.period, line, rows, found == seqs.end() ? std::string() : found->second));
  });
  return walked ? Exit::Done : fail(walked.error());
}

}  // namespace app::ctl
