#include "src/jobs/freeze_watch.h"

#include <algorithm>
#include <set>

#include "src/model/unrelated.h"

namespace jobs {
namespace {

template <class Map, class IsOld>
void erase_old(Map& map, IsOld is_old) {
  std::erase_if(map, [&is_old](const auto& entry) { return is_old(entry.second); });
}

}  // namespace

void FreezeWatch::note_try(std::string_view destination, std::int64_t now) {
  if (tried_.size() < kMostNames) tried_[std::string(model::registrable_name(destination))] = now;
  forget(now);
}

void FreezeWatch::note_failure(std::string_view destination, std::string_view mx,
                               std::int64_t now) {
  recall_failure(destination, mx, now);
  forget(now);
}

void FreezeWatch::recall_failure(std::string_view destination, std::string_view mx,
                                 std::int64_t at) {
  if (failing_.size() >= kMostNames) return;
  const std::string name(model::registrable_name(destination));
  auto network = model::network_of(mx);
  if (network.empty()) network = name;
  // The first failure stays the time: what fails for longer than the window is not "at once".
  failing_.try_emplace(name, Failing{at, std::move(network)});
}

void FreezeWatch::note_success(std::string_view destination) {
  failing_.erase(std::string(model::registrable_name(destination)));
}

void FreezeWatch::forget(std::int64_t now) {
  if (now == forgotten_at_) return;
  forgotten_at_ = now;
  const auto window = limits_.window;
  erase_old(tried_, [now, window](std::int64_t at) { return now - at >= window; });
  erase_old(failing_, [now, window](const Failing& one) { return now - one.at >= window; });
}

bool FreezeWatch::is_frozen(std::int64_t now) {
  forget(now);
  std::set<std::string_view> networks;
  for (const auto& [name, one] : failing_) networks.insert(one.network);
  const auto count = static_cast<std::int64_t>(std::min(failing_.size(), networks.size()));
  const auto tried = static_cast<std::int64_t>(tried_.size());
  return is_held(now) || (count >= limits_.domains && 100 * count >= limits_.share * tried);
}

}  // namespace jobs
