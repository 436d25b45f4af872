#include "src/engine/probe_targets.h"

#include <utility>

namespace engine {

bool ProbeTargets::is_fresh(const Entry& entry, const Freshness& fresh) {
  if (!entry.ended) return false;
  return *entry.ended >
         (entry.ending == ProbeEnding::Answered ? fresh.answered_since : fresh.put_off_since);
}

bool ProbeTargets::is_crowded(const ProbeTarget& target, const Freshness& fresh) const {
  const auto address = addresses_.find(target.address);
  if (address == addresses_.end() || address->second.queue.size() < kMostQueued) return false;
  const auto known = entries_.find(target);
  if (known == entries_.end()) return true;
  return known->second.state == Entry::State::Ended && !is_fresh(known->second, fresh);
}

ProbeTargets::Joined ProbeTargets::join(const ProbeTarget& target, const Freshness& fresh,
                                        Waiter waiter) {
  const auto entry = entries_.try_emplace(target).first;
  Entry& found = entry->second;
  if (found.state == Entry::State::Ended) {
    if (is_fresh(found, fresh)) return Joined::Known;
    found.state = Entry::State::Queued;
    Address& address = addresses_[target.address];
    address.queue.push_back(entry);
    // The first in a queue is ready, unless another target of its address is open or ready before
    // it.
    if (address.queue.size() == 1 && !address.is_open) ready_.push_back(entry);
  }
  found.waiters.push_back(waiter);
  return Joined::Waits;
}

std::optional<ProbeTarget> ProbeTargets::next() {
  if (open_ >= at_once_ || ready_.empty()) return std::nullopt;
  const auto entry = ready_.front();
  ready_.pop_front();
  Address& address = addresses_.at(entry->first.address);
  address.queue.pop_front();
  address.is_open = true;
  entry->second.state = Entry::State::Open;
  ++open_;
  return entry->first;
}

std::vector<ProbeTargets::Waiter> ProbeTargets::take_result(const ProbeTarget& target,
                                                            ProbeEnding ending,
                                                            base::sys_seconds now) {
  const auto entry = entries_.find(target);
  if (entry == entries_.end() || entry->second.state != Entry::State::Open) return {};
  entry->second.state = Entry::State::Ended;
  entry->second.ending = ending;
  entry->second.ended = now;
  ended_.emplace_back(now, target);
  --open_;
  const auto address = addresses_.find(target.address);
  address->second.is_open = false;
  if (address->second.queue.empty()) {
    addresses_.erase(address);
  } else {
    ready_.push_back(address->second.queue.front());
  }
  return std::exchange(entry->second.waiters, {});
}

std::optional<ProbeEnding> ProbeTargets::ending_of(const ProbeTarget& target) const {
  const auto entry = entries_.find(target);
  if (entry == entries_.end() || !entry->second.ended) return std::nullopt;
  return entry->second.ending;
}

void ProbeTargets::forget_before(base::sys_seconds since) {
  while (!ended_.empty() && ended_.front().first < since) {
    const auto entry = entries_.find(ended_.front().second);
    // It may have been asked for again since.
    if (entry != entries_.end() && entry->second.state == Entry::State::Ended &&
        entry->second.ended < since) {
      entries_.erase(entry);
    }
    ended_.pop_front();
  }
}

}  // namespace engine
