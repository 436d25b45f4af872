// Feedback's state base: read beside the one in force, and put in its place whole.
#include "src/jobs/feedback.h"

namespace jobs {

using model::DestinationState;

// An older version never takes the place of a newer one, as in state.db.
void Feedback::put_newer(DestinationTable& table, const Place& place,
                         const DestinationState& state) {
  const auto known = table.find(place.first, place.second);
  if (!known || known->version <= state.version) table.put(place.first, place.second, state);
}

bool Feedback::begin_base(Base kind, model::Moment saved) {
  if (is_base_final_ || (kind == Base::Kept && has_base())) return false;
  clock_.resume(saved);
  coming_.emplace(most_destinations_);
  is_base_final_ = kind == Base::Committed;
  return true;
}

void Feedback::take_base_record(const wire::StateRecord& record) {
  if (!coming_) return;
  put_newer(*coming_, {record.view, record.destination}, record.state);
  // A restart thaws nothing.
  const auto& failures = record.state.failures;
  if (failures.empty() || !may_begin_to_fail(record.state)) return;
  freeze_.recall_failure(record.destination, failures.front().evidence.mx,
                         failures.front().at.lived);
}

void Feedback::drop_base() {
  coming_.reset();
  is_base_final_ = false;
}

// Made of a kept state that is not the newest one: it must not take that one's place.
void Feedback::forget_outdated() {
  const auto version_in = [](const DestinationTable& table, const Place& place) {
    return table.find(place.first, place.second).value_or(DestinationState{}).version;
  };
  std::erase_if(pending_, [&](const auto& each) {
    const auto& [place, states] = each;
    if (version_in(table_, place) == version_in(*coming_, place)) return false;
    for (const auto& one : states) open_.erase(one.id);
    return true;
  });
}

void Feedback::end_base() {
  if (!coming_) return;
  if (is_base_final_) forget_outdated();
  table_ = std::move(*coming_);
  coming_.reset();
  memory_ = engine::Memory::Whole;
  watch_freeze();
  rules_changed();
  if (is_base_final_) send_rest();
}

}  // namespace jobs
