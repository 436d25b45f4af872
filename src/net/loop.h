// libevent, worn lightly: one loop a process, and three things that can happen in it. Callbacks run
// on the loop; a watch may be destroyed inside its own callback. Timers follow the monotonic clock.
#pragma once

#include <chrono>
#include <functional>

#include "src/base/handle.h"

struct event;
struct event_base;

namespace net {

void free_event(event* watch) noexcept;
void free_loop(event_base* base) noexcept;
using EventHandle = base::Handle<event, free_event>;

class Loop;
// Not watched for yet; std::bad_alloc where there is no memory for it.
EventHandle make_event(Loop& loop, int fd, short what, void (*callback)(int, short, void*),
                       void* self);

class Loop {
 public:
  Loop();  // ends the process where there is no epoll: nothing can be done without
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();
  void stop();
  // Something can't be watched for that this process can't do without: run() ends, and the parent
  // starts the role anew.
  void fail(const char* what);
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  [[nodiscard]] event_base* raw() { return base_.get(); }

 private:
  base::Handle<event_base, free_loop> base_;
  bool has_failed_ = false;
};

// Calls back after a time, once for each start().
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_expiry);
  void start(std::chrono::microseconds after);
  void stop();
  [[nodiscard]] bool is_running() const;

 private:
  Loop& loop_;
  std::function<void()> on_expiry_;
  EventHandle event_;  // last: freed first, so it can't fire into dead members
};

// Calls back whenever `fd` (borrowed) can be read.
class ReadWatch {
 public:
  ReadWatch(Loop& loop, int fd, std::function<void()> on_readable);
  void pause();
  void resume();

 private:
  Loop& loop_;
  std::function<void()> on_readable_;
  EventHandle event_;
};

// Calls back on the loop after the process got `signal`.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal, std::function<void()> on_signal);

 private:
  std::function<void()> on_signal_;
  EventHandle event_;
};

// The version of libevent that runs, for --version.
const char* library_version();

}  // namespace net
