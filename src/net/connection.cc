#include "src/net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "src/net/batch.h"
#include "src/net/server.h"

namespace net {

Connection::Connection(Server& server, base::UniqueFd fd, std::unique_ptr<Session> session)
    : server_(server),
      fd_(std::move(fd)),
      session_(std::move(session)),
      born_(server.now_),
      waiting_since_(server.limits_.lifetime.count() > 0 ? server.now_ : base::SteadyPoint{}) {}

bool Connection::start() {
  return server_.peers_.add(fd_.get(), *this, PeerPoll::For::Request);
}

void Connection::on_ready(Batch& batch) {
  if (closed_) return;
  if (waits_for_room_) {
    flush();
  } else {
    batch.add(*this);
  }
}

std::string_view Connection::read(std::span<char> room) {
  // No session leaves more than one request pending, so there is always room for some bytes.
  const std::size_t most = room.size() - std::min(pending_.size(), room.size() - 1);
  const ssize_t got = ::recv(fd_.get(), room.data(), most, 0);
  if (got > 0) {
    if (server_.is_sample_due()) sampled_at_ = std::chrono::steady_clock::now();
    is_asking_ = true;
    return {room.data(), static_cast<std::size_t>(got)};
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) close();
  return {};
}

void Connection::take(std::string_view input, std::string& replies) {
  replies.clear();
  if (pending_.empty()) {
    const Session::Step step = session_->receive(input, replies);
    hang_up_ = step.hang_up;
    if (!hang_up_ && step.consumed < input.size()) pending_ = input.substr(step.consumed);
  } else {
    pending_ += input;
    const Session::Step step = session_->receive(pending_, replies);
    hang_up_ = step.hang_up;
    pending_.erase(0, step.consumed);
  }
}

void Connection::reply(std::string& replies) {
  is_asking_ = false;
  while (send_replies(replies)) take({}, replies);
}

void Connection::offer_again() {
  if (pending_.empty() || !unsent_.empty() || is_asking_) return;
  std::string replies;
  take({}, replies);
  reply(replies);
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
  offer_again();
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
  if (is_asking_) return;  // closes when it has been replied to
  if (unsent_.empty()) {
    Batch alone;
    alone.add(*this);
    alone.answer_all();
  }
  if (!closed_ && unsent_.empty() && pending_.empty() && was_answered_) close();
}

bool Connection::is_stalled(base::SteadyPoint deadline) const {
  return waiting_since_ != base::SteadyPoint{} && waiting_since_ <= deadline;
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  fd_.reset();
  server_.bury(*this);
}

}  // namespace net
