#include "src/jobs/compare_images.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace jobs {
namespace {

bool holds(const model::PolicyRow& row, base::sys_seconds now) {
  return row.mode == model::RowMode::Enforce &&
         (row.expires_at == 0 || row.expires_at > now.time_since_epoch().count());
}

// Those that hold and ask for something, by whom they are for.
using Rules = std::map<std::pair<std::string_view, std::string_view>, const model::InboundRule*>;

Rules rules_in_force(const image::Image& image, base::sys_seconds now) {
  Rules rules;
  for (const auto& rule : image.inbound_rules()) {
    const bool is_over = rule.expires_at != 0 && rule.expires_at <= now.time_since_epoch().count();
    const bool is_soft = rule.on_violation == model::OnViolation::Observe ||
                         rule.require == model::InboundRequire::None;
    if (is_over || (is_soft && rule.fault.empty())) continue;
    rules.emplace(std::pair<std::string_view, std::string_view>{rule.client, rule.sender}, &rule);
  }
  return rules;
}

}  // namespace

engine::Difference compare_inbound(const image::Image& before, const image::Image& after,
                                   base::sys_seconds now) {
  const auto old_rules = rules_in_force(before, now);
  const auto new_rules = rules_in_force(after, now);
  engine::Difference difference;
  difference.rows_before = old_rules.size();
  difference.rows_after = new_rules.size();
  for (const auto& [whom, rule] : old_rules) {
    const auto found = new_rules.find(whom);
    if (found == new_rules.end()) {
      ++difference.dropped;
    } else if (engine::is_weaker(*found->second, *rule)) {
      ++difference.weakened;
    }
  }
  return difference;
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

}  // namespace jobs
