#include "src/jobs/destination_table.h"

#include <optional>

namespace jobs {
namespace {

// Cannot stand in a view, so what is behind the first one is the destination, whatever it holds.
constexpr char kSeparator = '\n';
constexpr std::uint8_t kFailing = 1;
constexpr std::uint8_t kVanished = 2;
// How many buckets one search for room looks at: the table is full all the same when they hold
// nothing that may go.
constexpr std::size_t kMostBuckets = 64;

std::uint32_t pack(std::int64_t seconds) {
  return static_cast<std::uint32_t>(seconds);
}

}  // namespace

DestinationTable::Key DestinationTable::key_of(std::string_view view,
                                               std::string_view destination) {
  Key key;
  key.reserve(view.size() + 1 + destination.size());
  key += view;
  key += kSeparator;
  key += destination;
  return key;
}

bool DestinationTable::is_settled(const model::DestinationState& state) {
  return state.phase == model::Phase::Normal && state.failures.empty();
}

std::optional<model::DestinationState> DestinationTable::find(std::string_view view,
                                                              std::string_view destination) const {
  const auto key = key_of(view, destination);
  if (const auto found = unsettled_.find(key); found != unsettled_.end()) return found->second;
  const auto found = known_.find(key);
  if (found == known_.end()) return std::nullopt;
  const Packed& packed = found->second;
  model::DestinationState state;
  state.version = packed.version;
  state.offered_at = packed.offered_at;
  state.absent_at = packed.absent_at;
  state.worked_at = packed.worked_at;
  state.offered_lived = packed.offered_lived;
  state.is_failing = (packed.flags & kFailing) != 0;
  state.has_vanished = (packed.flags & kVanished) != 0;
  return state;
}

bool DestinationTable::put(std::string_view view, std::string_view destination,
                           const model::DestinationState& state) {
  auto key = key_of(view, destination);
  const bool is_new = !known_.contains(key);
  if (is_new && is_full() && !(state.matters() && make_room())) return false;
  if (is_settled(state)) {
    unsettled_.erase(key);
  } else {
    unsettled_.insert_or_assign(key, state);
  }
  Packed packed;
  packed.version = static_cast<std::uint32_t>(state.version);
  packed.offered_at = pack(state.offered_at);
  packed.absent_at = pack(state.absent_at);
  packed.worked_at = pack(state.worked_at);
  packed.offered_lived = pack(state.offered_lived);
  packed.flags = static_cast<std::uint8_t>((state.is_failing ? kFailing : 0) |
                                           (state.has_vanished ? kVanished : 0));
  known_.insert_or_assign(std::move(key), packed);
  return true;
}

bool DestinationTable::make_room() {
  for (std::size_t looked = 0; looked < kMostBuckets; ++looked) {
    hand_ = (hand_ + 1) % known_.bucket_count();
    for (auto entry = known_.begin(hand_); entry != known_.end(hand_); ++entry) {
      if (entry->second.offered_at != 0 || unsettled_.contains(entry->first)) continue;
      known_.erase(entry->first);
      return true;
    }
  }
  return false;
}

void DestinationTable::for_each_unsettled(
    const std::function<void(std::string_view, std::string_view)>& visit) const {
  std::vector<Key> keys;
  keys.reserve(unsettled_.size());
  for (const auto& [key, state] : unsettled_) keys.push_back(key);
  for (const std::string_view key : keys) {
    const auto end = key.find(kSeparator);
    visit(key.substr(0, end), key.substr(end + 1));
  }
}

}  // namespace jobs
