#include "src/app/following.h"

#include <utility>

#include "src/model/next_hop.h"

namespace app {

bool is_about(const std::string& destination, const std::string& key) {
  const auto host = model::host_of(key);
  const bool is_below = host.size() > destination.size() && host.ends_with(destination) &&
                        host[host.size() - destination.size() - 1] == '.';
  return key == destination || host == destination || is_below;
}

Following::Watch Following::watch(const std::string& destination, base::SteadyPoint now) {
  const auto found = watched_.find(destination);
  if (found != watched_.end()) {
    found->second = now;
    return Watch::Known;
  }
  if (watched_.size() >= kMostDestinations) return Watch::Full;
  watched_.emplace(destination, now);
  return Watch::New;
}

bool Following::drop_idle(base::SteadyPoint now) {
  const auto dropped =
      std::erase_if(watched_, [now](const auto& one) { return now - one.second > kIdle; });
  if (watched_.empty()) kept_.clear();
  return dropped > 0;
}

std::vector<std::string> Following::watched() const {
  std::vector<std::string> names;
  for (const auto& [name, at] : watched_) names.push_back(name);
  return names;
}

void Following::add(wire::FollowedMessage exchange) {
  kept_.push_back({++last_, std::move(exchange)});
  if (kept_.size() > kMostKept) kept_.pop_front();
}

std::vector<Following::Numbered> Following::since(const std::string& destination,
                                                  std::uint64_t after) const {
  std::vector<Numbered> found;
  for (const auto& one : kept_) {
    if (found.size() == kMostAtOnce) break;
    if (one.number > after && is_about(destination, one.exchange.key)) found.push_back(one);
  }
  return found;
}

}  // namespace app
