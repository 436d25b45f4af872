#include "src/jobs/compare_images.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "src/base/counted.h"

namespace jobs {
namespace {

bool is_over(std::int64_t expires_at, base::sys_seconds now) {
  return expires_at != 0 && expires_at <= now.time_since_epoch().count();
}

bool holds(const model::PolicyRow& row, base::sys_seconds now) {
  return row.mode == model::RowMode::Enforce && !is_over(row.expires_at, now);
}

// Those that hold and ask for something, by whom they are for. A faulty one stops mail.
using InboundRules =
    std::map<std::pair<std::string_view, std::string_view>, const model::InboundRule*>;
using SubmissionRules = std::map<std::string_view, const model::SubmissionRule*>;

InboundRules inbound_in_force(const image::Image& image, base::sys_seconds now) {
  InboundRules rules;
  for (const auto& rule : image.inbound_rules()) {
    const bool is_soft = rule.on_violation == model::OnViolation::Observe ||
                         rule.require == model::InboundRequire::None;
    if (is_over(rule.expires_at, now) || (is_soft && rule.fault.empty())) continue;
    rules.emplace(std::pair<std::string_view, std::string_view>{rule.client, rule.sender}, &rule);
  }
  return rules;
}

SubmissionRules submission_in_force(const image::Image& image, base::sys_seconds now) {
  SubmissionRules rules;
  for (const auto& rule : image.submission_rules()) {
    const bool is_soft = rule.otherwise == model::Otherwise::Observe;
    if (is_over(rule.expires_at, now) || (is_soft && rule.fault.empty())) continue;
    rules.emplace(rule.sender, &rule);
  }
  return rules;
}

template <class Rules>
engine::Difference compare_rules(std::string_view table, const Rules& before, const Rules& after) {
  engine::Difference difference;
  difference.table = table;
  difference.rows_before = before.size();
  difference.rows_after = after.size();
  for (const auto& [whom, rule] : before) {
    const auto found = after.find(whom);
    if (found == after.end()) {
      ++difference.dropped;
    } else if (engine::is_weaker(*found->second, *rule)) {
      ++difference.weakened;
    }
  }
  return difference;
}

}  // namespace

engine::Difference compare_inbound(const image::Image& before, const image::Image& after,
                                   base::sys_seconds now) {
  return compare_rules("inbound", inbound_in_force(before, now), inbound_in_force(after, now));
}

engine::Difference compare_submission(const image::Image& before, const image::Image& after,
                                      base::sys_seconds now) {
  return compare_rules("submission", submission_in_force(before, now),
                       submission_in_force(after, now));
}

engine::Difference compare_images(const image::Image& before, const image::Image& after,
                                  base::sys_seconds now) {
  engine::Difference difference;
  auto old_rows = before.rows();
  auto new_rows = after.rows();
  auto old_row = old_rows.next();
  auto new_row = new_rows.next();
  while (old_row || new_row) {
    const bool takes_old = old_row && (!new_row || old_row->destination <= new_row->destination);
    const bool takes_new = new_row && (!old_row || new_row->destination <= old_row->destination);
    const bool held = takes_old && holds(*old_row, now);
    const bool holds_now = takes_new && holds(*new_row, now);
    difference.rows_before += held ? 1 : 0;
    difference.rows_after += holds_now ? 1 : 0;
    if (held && !holds_now) {
      ++difference.dropped;
    } else if (held && engine::is_weaker(*new_row, *old_row)) {
      ++difference.weakened;
    }
    if (takes_old) old_row = old_rows.next();
    if (takes_new) new_row = new_rows.next();
  }
  return difference;
}

std::vector<engine::Difference> compare_tables(const image::Image& before,
                                               const image::Image& after, base::sys_seconds now) {
  std::vector<engine::Difference> differences;
  for (const auto& compare : {compare_images, compare_inbound, compare_submission}) {
    const auto difference = compare(before, after, now);
    if (difference.dropped + difference.weakened > 0) differences.push_back(difference);
  }
  return differences;
}

std::string describe_taking(const std::vector<engine::Difference>& differences) {
  std::string text;
  for (const auto& each : differences) {
    text += fmt::format("{}drop {} and weaken {} of {} of table {}", text.empty() ? "" : ", and ",
                        each.dropped, each.weakened, base::counted(each.rows_before, "row"),
                        each.table);
  }
  return text;
}

std::string describe_taken(const std::vector<engine::Difference>& differences) {
  std::string text;
  for (const auto& each : differences) {
    text += fmt::format("{}{} of {} of table {} dropped, {} weakened", text.empty() ? "" : "; ",
                        each.dropped, base::counted(each.rows_before, "row"), each.table,
                        each.weakened);
  }
  return text;
}

}  // namespace jobs
