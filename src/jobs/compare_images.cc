#include "src/jobs/compare_images.h"

#include <optional>

namespace jobs {
namespace {

bool holds(const model::PolicyRow& row, base::sys_seconds now) {
  return row.mode == model::RowMode::Enforce &&
         (row.expires_at == 0 || row.expires_at > now.time_since_epoch().count());
}

}  // namespace

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
