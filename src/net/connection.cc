#include "src/net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "src/net/server.h"

namespace net {
namespace {

// As large as the longest request of either protocol: what is more waits in the kernel.
constexpr std::size_t kReadAtOnce = 16 * 1024;

}  // namespace

Connection::Connection(Server& server, base::UniqueFd fd, std::unique_ptr<Session> session)
    : server_(server),
      fd_(std::move(fd)),
      session_(std::move(session)),
      born_(server.now_),
      waiting_since_(server.limits_.lifetime.count() > 0 ? server.now_ : base::SteadyPoint{}) {}

bool Connection::start() {
  return server_.peers_.add(fd_.get(), *this, PeerPoll::For::Request);
}

void Connection::on_ready() {
  if (closed_) return;
  if (waits_for_room_) {
    flush();
  } else {
    read_once();
  }
}

void Connection::read_once() {
  std::array<char, kReadAtOnce> chunk;  // not zeroed: this is the hot path
  // No session leaves more than one request pending, so there is always room for some bytes.
  const std::size_t room = chunk.size() - std::min(pending_.size(), chunk.size() - 1);
  const ssize_t got = ::recv(fd_.get(), chunk.data(), room, 0);
  if (got > 0) {
    if (server_.is_sample_due()) sampled_at_ = std::chrono::steady_clock::now();
    const std::string_view input(chunk.data(), static_cast<std::size_t>(got));
    const bool may_wait =
        pending_.empty() && !server_.is_stopping() && server_.peers_.has_company();
    if (may_wait && session_->look_ahead(input)) {
      pending_ = input;
      server_.peers_.lookahead().add(*this);
    } else {
      take(input);
    }
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close();
  }
}

void Connection::take(std::string_view input) {
  if (!pending_.empty()) {
    pending_ += input;
    answer_pending();
    return;
  }
  std::string& out = server_.replies_;
  out.clear();
  const Session::Step step = session_->receive(input, out);
  hang_up_ = step.hang_up;
  if (!hang_up_ && step.consumed < input.size()) pending_ = input.substr(step.consumed);
  if (send_replies(out)) answer_pending();
}

void Connection::answer() {
  if (!pending_.empty() && unsent_.empty()) answer_pending();
}

void Connection::answer_pending() {
  std::string& out = server_.replies_;
  do {
    out.clear();
    const Session::Step step = session_->receive(pending_, out);
    hang_up_ = step.hang_up;
    pending_.erase(0, step.consumed);
  } while (send_replies(out));
}

// Returns whether the session stopped for the size of its replies alone and may go on now.
bool Connection::send_replies(const std::string& out) {
  std::size_t sent = 0;
  while (sent < out.size()) {
    const ssize_t took = ::send(fd_.get(), out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (took < 0 && errno == EINTR) continue;
    if (took < 0 && errno != EAGAIN) {
      close();
      return false;
    }
    if (took < 0) break;
    sent += static_cast<std::size_t>(took);
  }
  if (sent < out.size()) {
    unsent_.assign(out, sent);
    waiting_since_ = server_.now_;
  }
  end_sample(!out.empty());
  was_answered_ |= !out.empty();
  wait_for_peer();
  return !closed_ && unsent_.empty() && !pending_.empty() && out.size() >= kMostUnreadReplies;
}

// What is read of an incomplete request is the peer's time, not ours.
void Connection::end_sample(bool is_answered) {
  if (sampled_at_ == std::chrono::steady_clock::time_point{}) return;
  if (is_answered) server_.note_latency_(std::chrono::steady_clock::now() - sampled_at_);
  sampled_at_ = {};
}

// Called when the kernel takes bytes again.
void Connection::flush() {
  const ssize_t took = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (took < 0 && errno != EAGAIN && errno != EINTR) return close();
  if (took > 0) {
    unsent_.erase(0, static_cast<std::size_t>(took));
    waiting_since_ = server_.now_;
  }
  if (!unsent_.empty()) return;
  if (hang_up_ || (server_.is_stopping() && pending_.empty())) return close();
  waits_for_room_ = false;
  if (!server_.peers_.change(fd_.get(), *this, PeerPoll::For::Request)) return close();
  // Who has read all and asks nothing owes nothing.
  if (pending_.empty()) waiting_since_ = {};
  if (!pending_.empty()) answer_pending();
}

// Decides what to wait for next, and since when.
void Connection::wait_for_peer() {
  if (unsent_.empty() && (hang_up_ || (server_.is_stopping() && pending_.empty()))) return close();
  if (!unsent_.empty() && !std::exchange(waits_for_room_, true)) {
    if (!server_.peers_.change(fd_.get(), *this, PeerPoll::For::Room)) return close();
  }
  if (unsent_.empty() && pending_.empty()) {
    waiting_since_ = {};
  } else if (waiting_since_ == base::SteadyPoint{}) {
    waiting_since_ = server_.now_;
  }
}

void Connection::finish() {
  if (unsent_.empty()) read_once();
  if (!closed_ && unsent_.empty() && pending_.empty() && was_answered_) close();
}

bool Connection::is_stalled(base::SteadyPoint deadline) const {
  return waiting_since_ != base::SteadyPoint{} && waiting_since_ <= deadline;
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  fd_.reset();
  server_.peers_.lookahead().drop(*this);
  server_.bury(*this);
}

}  // namespace net
