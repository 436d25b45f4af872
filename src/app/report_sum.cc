#include "src/app/report_sum.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "src/engine/traffic.h"

namespace app::ctl {
namespace {

auto name_of(const ReportLine& line) {
  return std::tuple(std::string_view(line.destination), std::string_view(line.view));
}

}  // namespace

bool is_worse(const ReportLine& one, const ReportLine& other) {
  const auto badness = [](const model::Traffic& traffic) {
    return std::tuple(traffic.clear, traffic.deferred, traffic.unknown, traffic.total());
  };
  const auto mine = badness(one.traffic);
  const auto others = badness(other.traffic);
  return mine != others ? mine > others : name_of(one) < name_of(other);
}

void ReportLines::add(const model::HourOfMail& seen) {
  if (!open_ || open_->destination != seen.destination || open_->view != seen.view) {
    finish();
    open_.emplace(ReportLine{seen.view, seen.destination, {}});
  }
  open_->traffic += engine::count_once(seen);
}

void ReportLines::finish() {
  if (open_) take_(std::move(*open_));
  open_.reset();
}

void ReportSum::add(ReportLine&& line) {
  total_ += line.traffic;
  ++destinations_;
  if (line.traffic.clear > 0) ++in_clear_;
  lines_.push_back(std::move(line));
  // Twice as many before some go: so each is looked at a few times only.
  if (lines_.size() >= 2 * most_) cut();
}

void ReportSum::cut() {
  if (lines_.size() <= most_) return;
  const auto end = lines_.begin() + static_cast<std::ptrdiff_t>(most_);
  std::nth_element(lines_.begin(), end, lines_.end(), is_worse);
  left_out_ += lines_.end() - end;
  lines_.erase(end, lines_.end());
}

void ReportSum::finish() {
  cut();
  std::sort(lines_.begin(), lines_.end(), is_worse);
  by_name_.resize(lines_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(), [this](std::size_t a, std::size_t b) {
    return name_of(lines_.at(a)) < name_of(lines_.at(b));
  });
}

bool ReportSum::has(std::string_view view, std::string_view destination) const {
  const std::tuple wanted(destination, view);
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), wanted,
                       [this](std::size_t a, const auto& b) { return name_of(lines_.at(a)) < b; });
  return at != by_name_.end() && name_of(lines_.at(*at)) == wanted;
}

}  // namespace app::ctl
