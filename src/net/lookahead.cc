#include "src/net/lookahead.h"

#include <event2/event.h>

#include <utility>

#include "src/net/connection.h"

namespace net {

Lookahead::Lookahead(Loop& loop) : loop_(loop), rest_(make_event(loop, -1, 0, on_rest, this)) {}

bool Lookahead::has_company() const {
  return furthest_ != nullptr ||
         event_base_get_num_events(loop_.raw(), EVENT_BASE_COUNT_ACTIVE) > 0;
}

void Lookahead::add(Connection& connection) {
  move_on(&connection);
  if (std::exchange(is_rest_due_, true)) return;
  event_active(rest_.get(), 0, 0);
}

// Everybody one place on: the first one is answered, the second one looks further.
void Lookahead::move_on(Connection* connection) {
  Connection* const answered = std::exchange(nearest_, std::exchange(furthest_, connection));
  if (answered != nullptr) answered->answer();
  if (nearest_ != nullptr) nearest_->look_further();
}

void Lookahead::drop(const Connection& connection) {
  if (nearest_ == &connection) nearest_ = nullptr;

  if (furthest_ == &connection) furthest_ = nullptr;
}

void Lookahead::on_rest(int /*fd*/, short /*what*/, void* self) noexcept {
  static_cast<Lookahead*>(self)->answer_rest();
}

void Lookahead::answer_rest() {
  is_rest_due_ = false;
  move_on(nullptr);
  move_on(nullptr);
}

}  // namespace net
