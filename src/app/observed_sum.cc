#include "src/app/observed_sum.h"

#include <algorithm>

#include "src/engine/traffic.h"

namespace app::ctl {
namespace {

engine::Sighting sighting_of(const ObservedDeliveries& seen) {
  return {seen.deliveries, seen.count(engine::Ending::Unknown)};
}

}  // namespace

void ObservedSum::add(const store::ObservedCount& count) {
  const auto& [seen, asked] = count;
  const bool is_same = !lines_.empty() && lines_.back().destination == seen.destination &&
                       lines_.back().view == seen.view && lines_.back().row == asked.row &&
                       lines_.back().profile == asked.profile;
  if (!is_same) {
    close();
    lines_.push_back(
        {seen.destination, seen.view, asked.row, asked.profile, {}, seen.hour, 0, {}, {}});
  }
  ObservedLine& line = lines_.back();
  const std::string level(asked.level ? model::to_word(*asked.level) : "TEMP");
  if (std::find(line.levels.begin(), line.levels.end(), level) == line.levels.end()) {
    line.levels.push_back(level);
  }
  line.first = std::min(line.first, seen.hour);
  line.last = std::max(line.last, seen.hour);
  auto& sum = open_.at(static_cast<std::size_t>(seen.source));
  sum.deliveries += seen.count;
  if (!seen.is_trusted) sum.untrusted += seen.count;
  sum.endings.at(static_cast<std::size_t>(engine::ending_of(seen.outcome))) += seen.count;
  sum.foreseen.at(static_cast<std::size_t>(engine::foresee(asked, seen.outcome))) += seen.count;
}

void ObservedSum::close() {
  if (lines_.empty()) return;
  const auto best = std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return engine::tells_more(sighting_of(b), sighting_of(a));
  });
  lines_.back().source = model::kSources.at(static_cast<std::size_t>(best - open_.begin()));
  lines_.back().seen = *best;
  open_ = {};
}

std::vector<ObservedLine> ObservedSum::finish() {
  close();
  return std::move(lines_);
}

}  // namespace app::ctl
