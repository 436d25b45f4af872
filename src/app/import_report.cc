#include "src/app/import_report.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "src/app/ctl_rows.h"
#include "src/app/ctl_time.h"
#include "src/app/profile_settings.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

using store::OutboundRow;
using Op = RowChange::Op;

void say_lines(std::string_view file_name, const LineNotes& notes, std::string_view what) {
  std::size_t shown = 0;
  for (const auto& note : notes.sorted()) {
    if (++shown > kMostShown) break;
    warn(fmt::format("{}:{}: {}", file_name, note.line, note.text));
  }
  if (notes.count() > kMostShown) {
    warn(fmt::format("{}: and {} more {}", file_name, notes.count() - kMostShown, what));
  }
}

// What a row says besides its destination, by column; "-" where it says nothing.
std::vector<std::pair<std::string, std::string>> cells_of(const OutboundRow& row) {
  return {{"profile", row.profile},
          {"match", row.match.value_or("-")},
          {"mode", row.mode},
          {"owner", row.owner.value_or("-")},
          {"reason", row.reason.value_or("-")},
          {"expires", row.expires_at ? iso_time_of(*row.expires_at) : "-"},
          {"comment", row.comment.value_or("-")}};
}

// All that is set; mode enforce goes without saying.
std::string describe(const OutboundRow& row) {
  std::vector<std::string> parts;
  for (const auto& [column, value] : cells_of(row)) {
    if (value != "-" && value != "enforce") parts.push_back(fmt::format("{} {}", column, value));
  }
  return base::join(parts, ", ");
}

std::string describe_change(const OutboundRow& before, const OutboundRow& after) {
  std::vector<std::string> parts;
  const auto old_cells = cells_of(before);
  const auto new_cells = cells_of(after);
  for (std::size_t i = 0; i < old_cells.size(); ++i) {
    if (old_cells[i].second == new_cells[i].second) continue;
    parts.push_back(
        fmt::format("{} {} -> {}", old_cells[i].first, old_cells[i].second, new_cells[i].second));
  }
  return base::join(parts, ", ");
}

std::string line_of(const ImportFile& file, const RowChange& change) {
  if (change.op == Op::Remove) {
    return fmt::format("- {}  {}", change.before->destination, describe(*change.before));
  }
  const auto& after = file.rows[change.row].row;
  if (change.op == Op::Add) return fmt::format("+ {}  {}", after.destination, describe(after));
  return fmt::format("~ {}  {}", after.destination, describe_change(*change.before, after));
}

Json json_of(const ImportFile& file, const RowChange& change) {
  constexpr std::string_view kWords[] = {"add", "change", "remove"};
  const bool has_after = change.op != Op::Remove;
  const auto* after = has_after ? &file.rows[change.row].row : nullptr;
  return {{"op", kWords[static_cast<std::size_t>(change.op)]},
          {"destination", has_after ? after->destination : change.before->destination},
          {"before", change.before ? to_json(*change.before) : Json(nullptr)},
          {"after", has_after ? to_json(*after) : Json(nullptr)}};
}

Json counts_of(const ImportReport& report) {
  const auto& plan = report.plan;
  Json profiles = Json::array();
  for (const auto& profile : report.profiles.made()) profiles.push_back(profile.name);
  return {{"added", plan.added},         {"changed", plan.changed},       {"removed", plan.removed},
          {"unchanged", plan.unchanged}, {"left_alone", plan.left_alone}, {"profiles", profiles},
          {"dry_run", report.is_dry_run}};
}

}  // namespace

void say_refused(std::string_view file_name, const LineNotes& refused) {
  say_lines(file_name, refused, "lines that can't be taken");
}

void say_notes(std::string_view file_name, const LineNotes& notes) {
  say_lines(file_name, notes, "lines like these");
}

void print_diff(const ImportReport& report) {
  for (const auto& profile : report.profiles.made()) {
    say(terminal_text(fmt::format("+ profile {}  {}", profile.name, settings_text(profile))));
  }
  for (const auto& change : report.plan.changes) {
    say(terminal_text(line_of(report.file, change)));
  }
}

std::string summary_of(const ImportReport& report) {
  const auto& plan = report.plan;
  auto text = fmt::format("{} added, {} changed, {} removed, {} unchanged", plan.added,
                          plan.changed, plan.removed, plan.unchanged);
  if (plan.left_alone > 0) {
    text += fmt::format("; {} left alone that a Postfix table can't name", plan.left_alone);
  }
  std::vector<std::string> names;
  for (const auto& profile : report.profiles.made()) names.push_back(profile.name);
  if (names.size() > 10) {
    text += fmt::format("; {} profiles made", names.size());
  } else if (!names.empty()) {
    text += fmt::format("; profiles made: {}", base::join(names, ", "));
  }
  return text;
}

void print_json_report(const ImportReport& report) {
  auto object = counts_of(report);
  if (report.is_dry_run) {
    object["refused"] = Json::array();
    for (const auto& note : report.file.refused.sorted()) {
      object["refused"].push_back({{"line", note.line}, {"text", note.text}});
    }
    object["diff"] = Json::array();
    for (const auto& change : report.plan.changes) {
      object["diff"].push_back(json_of(report.file, change));
    }
  }
  print_json(object);
}

void Progress::count_one() {
  if (!is_shown_ || ++done_ % kStep != 0) return;
  warn(fmt::format("{} of {} rows written", done_, of_));
}

}  // namespace app::ctl
