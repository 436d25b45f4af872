#include "src/net/lookahead.h"

#include <utility>

#include "src/net/connection.h"

namespace net {

void Lookahead::add(Connection& connection) {
  move_on(&connection);
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

void Lookahead::answer_rest() {
  if (is_empty()) return;
  move_on(nullptr);
  move_on(nullptr);
}

}  // namespace net
