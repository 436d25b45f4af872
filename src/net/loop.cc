#include "src/net/loop.h"

#include <event2/event.h>

#include <cstdlib>
#include <utility>

#include "src/base/log.h"

namespace net {
namespace {

// libevent is C: an exception must not pass through it. One that gets here is a bug, and the parent
// starts a role that dies again.
void call(evutil_socket_t /*fd*/, short /*what*/, void* callback) noexcept {
  // A copy: the callback may destroy its own watch.
  const auto copy = *static_cast<std::function<void()>*>(callback);
  copy();
}

event_base* make_base() {
  event_config* config = event_config_new();
  // The environment of a mail host must not choose another backend.
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK);
  event_config_require_features(config, EV_FEATURE_O1);
  event_base* made = event_base_new_with_config(config);
  event_config_free(config);
  if (made == nullptr) {
    base::log_error("no event loop: the kernel refuses epoll");
    std::abort();
  }
  return made;
}

}  // namespace

void free_event(event* watch) noexcept {
  event_free(watch);
}
void free_loop(event_base* base) noexcept {
  event_base_free(base);
}

Loop::Loop() : base_(make_base()) {}
Loop::~Loop() = default;

void Loop::run() {
  event_base_dispatch(base_.get());
}
void Loop::stop() {
  event_base_loopbreak(base_.get());
}

Timer::Timer(Loop& loop, std::function<void()> on_expiry)
    : on_expiry_(std::move(on_expiry)), event_(event_new(loop.raw(), -1, 0, call, &on_expiry_)) {}

void Timer::start(std::chrono::microseconds after) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(after);
  const timeval time{seconds.count(), (after - seconds).count()};
  event_add(event_.get(), &time);
}

void Timer::stop() {
  event_del(event_.get());
}

bool Timer::is_running() const {
  return event_pending(event_.get(), EV_TIMEOUT, nullptr) != 0;
}

ReadWatch::ReadWatch(Loop& loop, int fd, std::function<void()> on_readable)
    : on_readable_(std::move(on_readable)),
      event_(event_new(loop.raw(), fd, EV_READ | EV_PERSIST, call, &on_readable_)) {
  resume();
}

void ReadWatch::pause() {
  event_del(event_.get());
}
void ReadWatch::resume() {
  event_add(event_.get(), nullptr);
}

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)),
      event_(event_new(loop.raw(), signal, EV_SIGNAL | EV_PERSIST, call, &on_signal_)) {
  event_add(event_.get(), nullptr);
}

const char* library_version() {
  return event_get_version();
}

}  // namespace net
