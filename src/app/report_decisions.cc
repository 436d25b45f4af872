#include "src/app/report_decisions.h"

#include <algorithm>
#include <iterator>

#include "src/model/decision.h"

namespace app::ctl {
namespace {

using model::DecisionKind;

// A panic with an end switches the mode; one without brings the configured mode back.
bool is_observe_panic(const store::DecisionRow& row) {
  return row.until.has_value() && row.why.starts_with("mode observe");
}

}  // namespace

bool ReportDecisions::is_of_period(const Lowering& lowering) const {
  if (lowering.decision.at >= since_) return true;
  if (lowering.ended_at && *lowering.ended_at < since_) return false;
  return lowering.decision.until.value_or(0) > since_;
}

void ReportDecisions::keep(Lowering&& lowering) {
  if (!is_of_period(lowering)) return;
  const auto seq = lowering.decision.seq;
  over_.emplace(seq, std::move(lowering));
  if (over_.size() > most_) {
    over_.erase(over_.begin());
    ++left_out_;
  }
}

void ReportDecisions::end(const Place& place, const store::DecisionRow& row) {
  const auto at = open_.find(place);
  if (at == open_.end()) return;
  at->second.ended_at = row.at;
  at->second.ended_by = row.why;
  at->second.ended_seq = row.seq;
  keep(std::move(at->second));
  open_.erase(at);
}

void ReportDecisions::add(store::DecisionRow&& row) {
  const auto kind = model::parse_decision_kind(row.kind);
  if (!kind) return;
  Place place{row.destination.value_or(""), row.view};
  row.evidence.clear();
  switch (*kind) {
    case DecisionKind::Downgrade:
    case DecisionKind::Reroute:
      end(place, row);
      open_.emplace(std::move(place), Lowering{std::move(row), {}, {}, 0});
      return;
    case DecisionKind::Panic:
      end(place, row);
      if (is_observe_panic(row)) {
        open_.emplace(std::move(place), Lowering{std::move(row), {}, {}, 0});
      }
      return;
    case DecisionKind::Restore:
      // With an end it only became less deep.
      if (!row.until) end(place, row);
      return;
    case DecisionKind::Reset:
      end(place, row);
      return;
    case DecisionKind::Accept:
      keep(Lowering{std::move(row), {}, {}, 0});
      return;
    case DecisionKind::Freeze:
    case DecisionKind::Thaw:
    case DecisionKind::StarttlsVanished:
    case DecisionKind::ReOffered:
      return;
  }
}

std::vector<Lowering> ReportDecisions::finish() {
  for (auto& [place, lowering] : open_) keep(std::move(lowering));
  open_.clear();
  std::vector<Lowering> newest_first;
  newest_first.reserve(over_.size());
  std::transform(over_.rbegin(), over_.rend(), std::back_inserter(newest_first),
                 [](auto& each) { return std::move(each.second); });
  over_.clear();
  return newest_first;
}

}  // namespace app::ctl
