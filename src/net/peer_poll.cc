#include "src/net/peer_poll.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "src/base/log.h"
#include "src/net/connection.h"

namespace net {
namespace {

// Then everything else in the loop gets its turn: about a millisecond.
constexpr int kServedAtOnce = 256;
constexpr int kRound = 64;

base::UniqueFd make_epoll() {
  base::UniqueFd made(::epoll_create1(EPOLL_CLOEXEC));
  if (!made) {
    base::log_error("no peer can be waited for: {}", std::strerror(errno));
    throw std::bad_alloc();
  }
  return made;
}

}  // namespace

PeerPoll::PeerPoll(Loop& loop)
    : loop_(loop), epoll_(make_epoll()), watch_(loop, epoll_.get(), [this] { serve_some(); }) {}

bool PeerPoll::add(int fd, Connection& connection, For what) {
  return control(EPOLL_CTL_ADD, fd, connection, what);
}

bool PeerPoll::change(int fd, Connection& connection, For what) {
  return control(EPOLL_CTL_MOD, fd, connection, what);
}

bool PeerPoll::control(int operation, int fd, Connection& connection, For what) {
  epoll_event event{};
  event.events = what == For::Request ? EPOLLIN : EPOLLOUT;
  event.data.ptr = &connection;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void PeerPoll::serve_some() {
  for (int served = 0; served < kServedAtOnce;) {
    const int count = serve_round();
    if (count < 0 && errno != EINTR) loop_.fail("its peers");
    if (count <= 0) return;
    served += count;
  }
}

int PeerPoll::serve_round() {
  std::array<epoll_event, kRound> events;  // not zeroed: this is the hot path
  const int count = ::epoll_wait(epoll_.get(), events.data(), kRound, 0);
  for (int i = 0; i < count; ++i) {
    static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr)->on_ready(batch_);
  }
  batch_.answer_all();
  return count;
}

}  // namespace net
