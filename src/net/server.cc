#include "src/net/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "src/base/log.h"

namespace net {
namespace {

// So many at once, then the peers who are in get their turn.
constexpr int kAcceptAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::seconds kSweepEvery{1};

PeerCredentials credentials_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid == 0) return {};
  return {true, peer.pid, peer.uid};
}

}  // namespace

Server::Server(Loop& loop, const base::Clock& clock, const Limits& limits)
    : loop_(loop),
      clock_(clock),
      limits_(limits),
      now_(clock.steady()),
      peers_(loop),
      reaper_(loop, [this] { reap(); }),
      sweeper_(loop, [this] { sweep(); }),
      accept_pause_(loop, [this] { resume_accepting(); }),
      stop_deadline_(loop, [this] {
        for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->close();
        end_stop_if_done();
      }) {}

Server::~Server() = default;

void Server::add_listener(base::UniqueFd fd, MakeSession make_session) {
  listeners_.push_back(
      std::make_unique<Listener>(Listener{std::move(fd), std::move(make_session), nullptr}));
}

void Server::start() {
  if (started_) return;
  started_ = true;
  for (const auto& listener : listeners_) {
    Listener* raw = listener.get();
    listener->watch =
        std::make_unique<ReadWatch>(loop_, raw->fd.get(), [this, raw] { accept_some(*raw); });
  }
  sweeper_.start(kSweepEvery);
}

void Server::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    if (connections_.size() >= limits_.connections) return pause_accepting();
    base::UniqueFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      // At a limit of descriptors or memory the listener stays readable: without a pause the loop
      // would spin.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_accepting();
      }
      return;
    }
    const PeerCredentials peer = credentials_of(fd.get());
    if (!peer.is_local) {
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    auto session = listener.make_session(peer);
    auto connection = std::make_unique<Connection>(*this, std::move(fd), std::move(session));
    if (!connection->start()) continue;
    connections_.push_back(std::move(connection));
    connections_.back()->index = connections_.size() - 1;
  }
}

void Server::pause_accepting() {
  if (!accepting_paused_) {
    base::log_warning("accepting pauses at {} connections: {}", connections_.size(),
                      limits_.advice);
  }
  accepting_paused_ = true;
  for (const auto& listener : listeners_) listener->watch->pause();
  accept_pause_.start(kAcceptPause);
}

void Server::resume_accepting() {
  if (stopping_) return;
  // The warning comes once for each time of trouble, not for each pause.
  if (connections_.size() + kAcceptAtOnce < limits_.connections) accepting_paused_ = false;
  for (const auto& listener : listeners_) listener->watch->resume();
}

void Server::sweep() {
  now_ = clock_.steady();
  const base::SteadyPoint deadline = now_ - limits_.stall;
  const base::SteadyPoint birth =
      limits_.lifetime.count() > 0 ? now_ - limits_.lifetime : base::SteadyPoint::min();
  for (std::size_t i = connections_.size(); i > 0; --i) {
    if (connections_[i - 1]->is_stalled(deadline) || connections_[i - 1]->born_ <= birth) {
      ++stalled_;
      connections_[i - 1]->close();
    }
  }
  sweeper_.start(kSweepEvery);
}

void Server::offer_again() {
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->offer_again();
}

void Server::bury(const Connection& connection) {
  const std::size_t index = connection.index;
  graveyard_.push_back(std::move(connections_[index]));
  if (index + 1 < connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index = index;
  }
  connections_.pop_back();
  if (graveyard_.size() == 1) reaper_.start(std::chrono::microseconds{0});
}

void Server::reap() {
  graveyard_.clear();
  if (stopping_) end_stop_if_done();
}

void Server::stop(std::chrono::milliseconds deadline, std::function<void()> on_stopped) {
  if (stopping_) return;
  stopping_ = true;
  on_stopped_ = std::move(on_stopped);
  // The listening sockets themselves go too: whoever else holds them takes the backlog from here
  // on.
  listeners_.clear();
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->finish();
  stop_deadline_.start(deadline);
  end_stop_if_done();
}

void Server::end_stop_if_done() {
  if (connections_.empty() && on_stopped_) std::exchange(on_stopped_, nullptr)();
}

}  // namespace net
