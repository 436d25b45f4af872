// Whether a role's loop turns. Pure: the parent looks every kLookEvery, asks where it is due and
// brings the answers. Counts looks, not time, so a parent that stood still itself blames nobody;
// and at most one question is open, so that none fills the queue of a role that hangs.
#pragma once

#include <chrono>

namespace app {

class Heartbeat {
 public:
  static constexpr std::chrono::seconds kLookEvery{5};
  // So many looks without an answer are a silence: a minute.
  static constexpr int kPatience = 12;

  enum class News { None, Silent, Back };

  // At each look, before it is asked.
  News on_look() {
    if (unanswered_ > kPatience) return News::None;
    return ++unanswered_ > kPatience ? News::Silent : News::None;
  }
  [[nodiscard]] bool wants_ping() const { return !is_asked_; }
  void on_ping() { is_asked_ = true; }
  News on_pong() {
    const bool was_silent = unanswered_ > kPatience;
    *this = {};
    return was_silent ? News::Back : News::None;
  }

 private:
  int unanswered_ = 0;
  bool is_asked_ = false;
};

}  // namespace app
