#include "src/net/loop.h"

#include <event2/event.h>

#include <cerrno>
#include <cstring>
#include <new>
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
  if (config == nullptr) throw std::bad_alloc();
  // The environment of a mail host must not choose another backend.
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK);
  event_config_require_features(config, EV_FEATURE_O1);
  event_base* made = event_base_new_with_config(config);
  event_config_free(config);
  if (made == nullptr) {
    base::log_error("no event loop: the kernel refuses epoll, or there is no memory");
    throw std::bad_alloc();
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

EventHandle make_event(Loop& loop, int fd, short what, void (*callback)(int, short, void*),
                       void* self) {
  EventHandle made(event_new(loop.raw(), fd, what, callback, self));
  if (!made) throw std::bad_alloc();
  return made;
}

Loop::Loop() : base_(make_base()) {}
Loop::~Loop() = default;

void Loop::run() {
  if (has_failed_) return;
  if (event_base_dispatch(base_.get()) < 0) fail("anything");
}
void Loop::fail(const char* what) {
  base::log_error("the kernel does not let this process wait for {}: {}; it ends", what,
                  std::strerror(errno));
  has_failed_ = true;
  event_base_loopbreak(base_.get());
}
void Loop::stop() {
  event_base_loopbreak(base_.get());
}

Timer::Timer(Loop& loop, std::function<void()> on_expiry)
    : loop_(loop),
      on_expiry_(std::move(on_expiry)),
      event_(make_event(loop, -1, 0, call, &on_expiry_)) {}

void Timer::start(std::chrono::microseconds after) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(after);
  const timeval time{seconds.count(), (after - seconds).count()};
  if (event_add(event_.get(), &time) != 0) loop_.fail("a timer");
}

void Timer::stop() {
  event_del(event_.get());
}

bool Timer::is_running() const {
  return event_pending(event_.get(), EV_TIMEOUT, nullptr) != 0;
}

ReadWatch::ReadWatch(Loop& loop, int fd, std::function<void()> on_readable)
    : loop_(loop),
      on_readable_(std::move(on_readable)),
      event_(make_event(loop, fd, EV_READ | EV_PERSIST, call, &on_readable_)) {
  resume();
}

void ReadWatch::pause() {
  event_del(event_.get());
}
void ReadWatch::resume() {
  if (event_add(event_.get(), nullptr) != 0) loop_.fail("a descriptor");
}

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)),
      event_(make_event(loop, signal, EV_SIGNAL | EV_PERSIST, call, &on_signal_)) {
  if (event_add(event_.get(), nullptr) != 0) loop.fail("a signal");
}

const char* library_version() {
  return event_get_version();
}

}  // namespace net
