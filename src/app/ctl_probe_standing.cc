// probe: the row that holds for a destination already, where it asks for more than what would
// deliver. A partner that fails must not talk its own row away.
#include <fmt/format.h>

#include "src/app/ctl_probe.h"
#include "src/app/ctl_standing_rows.h"
#include "src/engine/publication.h"

namespace app::ctl {

std::string find_stricter_row(const Context& context, const std::string& destination,
                              std::string_view profile) {
  auto standing = StandingRows::open(context);
  if (!standing) return standing.error();
  if (!standing->has_database()) return {};
  const auto beside = standing->compare(destination, profile);
  if (!beside) return beside.error();
  if (!beside->held || !engine::is_weaker(beside->proposed, *beside->held)) return {};
  return fmt::format(
      "row {} asks for {}, more than would be delivered now: its mail waits. Ask the partner; "
      "tlspolicyctl held shows what waits",
      beside->held->destination, beside->held->profile->name);
}

}  // namespace app::ctl
