// Feedback's state base: read beside the one in force, and put in its place whole.
#include "src/jobs/feedback.h"

namespace jobs {

// An older version never takes the place of a newer one, as in state.db.
void Feedback::put_newer(DestinationTable& table, const Place& place,
                         const model::DestinationState& state) {
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

// What was made of a kept state that is not the committed one must not take that one's place, even
// where both have the same version.
void Feedback::forget_outdated() {
  std::erase_if(pending_, [this](const auto& each) {
    const auto& [view, destination] = each.first;
    if (table_.find(view, destination) == coming_->find(view, destination)) return false;
    for (const auto& one : each.second) open_.erase(one.id);
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
