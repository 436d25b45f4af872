#include "src/engine/probe_schedule.h"

#include <algorithm>

#include "src/model/reserved_address.h"

namespace engine {

using base::sys_seconds;

ProbeSchedule::ProbeSchedule(ProbeEtiquette etiquette, OptOut opt_out, std::uint64_t seed)
    : etiquette_(std::move(etiquette)),
      opt_out_(std::move(opt_out)),
      random_(seed),
      targets_(etiquette_.at_once) {}

bool ProbeSchedule::watch(std::string_view name, std::optional<sys_seconds> checked,
                          sys_seconds now) {
  if (Destination* known = find(name)) {
    known->is_gone = false;
    known->is_listed = true;
    return true;
  }
  if (ids_.size() >= etiquette_.watched) return false;
  const Id id = free_.empty() ? static_cast<Id>(destinations_.size()) : free_.back();
  if (free_.empty()) {
    destinations_.emplace_back();
  } else {
    free_.pop_back();
  }
  Destination& added = destinations_[id];
  added = {};
  added.name = &ids_.emplace(name, id).first->first;
  if (checked && *checked <= now) {
    added.not_before = *checked + etiquette_.gap;
    set_due(id, *checked + etiquette_.interval - random_up_to(etiquette_.jitter));
  } else {
    set_due(id, now + random_up_to(etiquette_.first_within));
  }
  return true;
}

void ProbeSchedule::unwatch(std::string_view name) {
  Destination* known = find(name);
  if (known == nullptr) return;
  known->is_gone = true;
  if (known->phase == Phase::Idle) forget(ids_.find(std::string(name))->second);
}

void ProbeSchedule::begin_list() {
  for (auto& destination : destinations_) destination.is_listed = false;
}

void ProbeSchedule::end_list() {
  std::vector<std::string> gone;
  for (const auto& destination : destinations_) {
    const bool is_awaited = destination.phase == Phase::Idle && !destination.is_daily;
    if (destination.name == nullptr || destination.is_listed || is_awaited) continue;
    gone.push_back(*destination.name);
  }
  for (const auto& name : gone) unwatch(name);
}

void ProbeSchedule::forget(Id id) {
  Destination& gone = destinations_[id];
  due_.erase({gone.due, id});
  ids_.erase(ids_.find(*gone.name));
  gone = {};
  free_.push_back(id);
}

ProbeSchedule::Destination* ProbeSchedule::find(std::string_view name) {
  const auto id = ids_.find(std::string(name));
  return id == ids_.end() ? nullptr : &destinations_[id->second];
}

seconds ProbeSchedule::random_up_to(seconds most) {
  const auto parts = static_cast<std::uint64_t>(most.count()) + 1;
  return seconds{static_cast<std::int64_t>(random_() % parts)};
}

// Of one that is idle.
void ProbeSchedule::set_due(Id id, sys_seconds due) {
  Destination& destination = destinations_[id];
  due_.erase({destination.due, id});
  destination.due = std::max(due, destination.not_before);
  due_.emplace(destination.due, id);
}

void ProbeSchedule::take_delivery(std::string_view name, sys_seconds at) {
  Destination* known = find(name);
  if (known == nullptr || known->phase != Phase::Idle || !known->is_daily) return;
  const auto next = at + etiquette_.interval - random_up_to(etiquette_.jitter);
  if (next > known->due) set_due(static_cast<Id>(known - destinations_.data()), next);
}

void ProbeSchedule::take_failure(std::string_view name, sys_seconds at, seconds retry_after) {
  hasten(name, at + retry_after, at);
}

void ProbeSchedule::set_downgraded(std::string_view name, bool is_downgraded, sys_seconds now) {
  Destination* known = find(name);
  if (known == nullptr || known->is_downgraded == is_downgraded) return;
  known->is_downgraded = is_downgraded;
  if (is_downgraded) hasten(name, now + etiquette_.way_back, now);
}

void ProbeSchedule::ask_for(std::string_view name, sys_seconds at) {
  const Destination* known = find(name);
  if (known != nullptr && (known->phase != Phase::Idle || at < known->due)) {
    hasten(name, at, at - etiquette_.gap);
  }
}

void ProbeSchedule::hasten(std::string_view name, sys_seconds at, sys_seconds known_since) {
  Destination* known = find(name);
  if (known == nullptr) return;
  if (known->phase != Phase::Idle) {
    known->asked_for = known->asked_for ? std::min(*known->asked_for, at) : at;
    return;
  }
  const auto due = known->is_daily ? at : std::min(at, known->due);
  known->known_since = known->is_daily ? known_since : std::max(known->known_since, known_since);
  known->is_daily = false;
  set_due(static_cast<Id>(known - destinations_.data()), due);
}

ProbeSchedule::Steps ProbeSchedule::take_steps(sys_seconds now) {
  Steps steps = std::exchange(ended_, {});
  targets_.forget_before(now - etiquette_.shared_for);
  while (!due_.empty() && due_.begin()->first <= now && routing_ < etiquette_.at_once &&
         in_hand_ < etiquette_.in_hand) {
    start_check(due_.begin()->second, now, steps);
  }
  while (auto target = targets_.next()) steps.probes.push_back(std::move(*target));
  return steps;
}

void ProbeSchedule::start_check(Id id, sys_seconds now, Steps& steps) {
  Destination& destination = destinations_[id];
  if (opt_out_.has(*destination.name)) {
    steps.refused.push_back({*destination.name, {}, "it is on the opt-out list"});
    destination.is_daily = true;
    set_due(id, now + etiquette_.interval);
    return;
  }
  due_.erase({destination.due, id});
  if (destination.is_daily) destination.known_since = now - etiquette_.shared_for;
  destination.phase = Phase::Routing;
  destination.not_before = now + etiquette_.gap;
  ++routing_;
  ++in_hand_;
  steps.routes.push_back(*destination.name);
}

std::vector<ProbeTarget> ProbeSchedule::allowed_of(std::string_view name,
                                                   std::span<const ProbeTarget> targets) {
  std::vector<ProbeTarget> allowed;
  for (const auto& target : targets) {
    const auto is_inside = [&](const model::Network& network) {
      return model::is_inside(target.address, network);
    };
    if (opt_out_.has(target.host) ||
        std::any_of(opt_out_.networks.begin(), opt_out_.networks.end(), is_inside)) {
      ended_.refused.push_back({std::string(name), target, "it is on the opt-out list"});
    } else if (!model::may_probe(target.address, etiquette_.allowed)) {
      ended_.refused.push_back(
          {std::string(name), target, std::string(*model::reserved_as(target.address))});
    } else if (std::find(allowed.begin(), allowed.end(), target) == allowed.end()) {
      allowed.push_back(target);
    }
  }
  return allowed;
}

void ProbeSchedule::take_route(std::string_view name, std::span<const ProbeTarget> targets,
                               ProbeEnding ending, sys_seconds now) {
  Destination* known = find(name);
  if (known == nullptr || known->phase != Phase::Routing) return;
  --routing_;
  known->phase = Phase::Probing;
  known->targets = allowed_of(name, targets);
  const auto id = static_cast<Id>(known - destinations_.data());
  if (known->targets.empty()) {
    end_check(id, targets.empty() && ending == ProbeEnding::PutOff, now);
  } else {
    start_probing(id, now);
  }
}

// What another's check found will do from then on; that it found nothing, not for as long.
ProbeTargets::Freshness ProbeSchedule::freshness_of(const Destination& destination,
                                                    sys_seconds now) const {
  return {destination.known_since,
          std::max(destination.known_since, now - etiquette_.first_back_off)};
}

void ProbeSchedule::start_probing(Id id, sys_seconds now) {
  Destination& destination = destinations_[id];
  const bool is_crowded = std::any_of(
      destination.targets.begin(), destination.targets.end(), [&](const ProbeTarget& target) {
        return targets_.is_crowded(target, freshness_of(destination, now));
      });
  if (is_crowded) {
    // Its turn comes again; nobody has to be waited for longer because of it.
    ended_.put_back.push_back(*destination.name);
    destination.phase = Phase::Idle;
    destination.targets.clear();
    --in_hand_;
    destination.is_gone ? forget(id) : set_due(id, now + etiquette_.gap);
    return;
  }
  for (const auto& target : destination.targets) {
    if (targets_.join(target, freshness_of(destination, now), id) == ProbeTargets::Joined::Waits) {
      ++destination.waits_for;
    }
  }
  if (destination.waits_for == 0) end_check(id, false, now);
}

void ProbeSchedule::take_result(const ProbeTarget& target, ProbeEnding ending, sys_seconds now) {
  for (const Id id : targets_.take_result(target, ending, now)) {
    if (--destinations_[id].waits_for == 0) end_check(id, false, now);
  }
}

void ProbeSchedule::end_check(Id id, bool is_put_off, sys_seconds now) {
  Destination& destination = destinations_[id];
  is_put_off = is_put_off || std::any_of(destination.targets.begin(), destination.targets.end(),
                                         [&](const ProbeTarget& target) {
                                           return targets_.ending_of(target) == ProbeEnding::PutOff;
                                         });
  ended_.checked.push_back({*destination.name, std::move(destination.targets), is_put_off});
  destination.targets.clear();
  destination.phase = Phase::Idle;
  --in_hand_;
  if (destination.is_gone) {
    forget(id);
  } else {
    schedule_next(destination, is_put_off, now);
  }
}

void ProbeSchedule::schedule_next(Destination& destination, bool is_put_off, sys_seconds now) {
  const auto id = static_cast<Id>(&destination - destinations_.data());
  sys_seconds next = now + etiquette_.interval - random_up_to(etiquette_.jitter);
  destination.is_daily = true;
  if (is_put_off) {
    destination.back_off = std::clamp(destination.back_off * 2, etiquette_.first_back_off,
                                      etiquette_.longest_back_off);
    destination.not_before = std::max(destination.not_before, now + destination.back_off);
    next = now + destination.back_off;
  } else {
    destination.back_off = seconds{0};
  }
  if (destination.is_downgraded && now + etiquette_.way_back < next) {
    next = now + etiquette_.way_back;
    destination.is_daily = false;
    destination.known_since = now;
  }
  if (const auto asked_for = std::exchange(destination.asked_for, {});
      asked_for && *asked_for < next) {
    next = *asked_for;
    destination.is_daily = false;
    destination.known_since = now;
  }
  set_due(id, next);
}

std::optional<sys_seconds> ProbeSchedule::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace engine
