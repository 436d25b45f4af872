#include "src/jobs/freeze_watch.h"

#include <algorithm>
#include <set>

#include "src/model/next_hop.h"

namespace jobs {
namespace {

template <class Map, class IsOld>
void erase_old(Map& map, IsOld is_old) {
  std::erase_if(map, [&is_old](const auto& entry) { return is_old(entry.second); });
}

}  // namespace

std::string_view registrable_name(std::string_view destination) {
  const auto host = model::host_of(destination);
  const auto last = host.rfind('.');
  if (last == std::string_view::npos || last == 0) return host;
  const auto second = host.rfind('.', last - 1);
  if (second == std::string_view::npos) return host;
  constexpr std::size_t kCountry = 2;
  constexpr std::size_t kShortLabel = 3;
  const auto top = host.size() - last - 1;
  const auto below = last - second - 1;
  if (top != kCountry || below > kShortLabel || second == 0) return host.substr(second + 1);
  const auto third = host.rfind('.', second - 1);
  return third == std::string_view::npos ? host : host.substr(third + 1);
}

std::string network_of(std::string_view mx) {
  const auto open = mx.find('[');
  const auto close = mx.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  const auto address = mx.substr(open + 1, close - open - 1);
  const char separator = address.find(':') == std::string_view::npos ? '.' : ':';
  std::size_t end = 0;
  for (int parts = 0; parts < 3 && end < address.size(); ++parts) {
    end = std::min(address.find(separator, end), address.size());
    if (parts < 2 && end < address.size()) ++end;
  }
  return std::string(address.substr(0, end));
}

void FreezeWatch::note_try(std::string_view destination, std::int64_t now) {
  if (tried_.size() < kMostNames) tried_[std::string(registrable_name(destination))] = now;
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
  const std::string name(registrable_name(destination));
  auto network = network_of(mx);
  if (network.empty()) network = name;
  // The first failure stays the time: what fails for longer than the window is not "at once".
  failing_.try_emplace(name, Failing{at, std::move(network)});
}

void FreezeWatch::note_success(std::string_view destination) {
  failing_.erase(std::string(registrable_name(destination)));
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
  return count >= limits_.domains && 100 * count >= limits_.share * tried;
}

}  // namespace jobs
