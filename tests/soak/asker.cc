#include "tests/soak/asker.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace soak {
namespace {

// So far behind its rate one may fall and still catch up.
constexpr std::chrono::milliseconds kMostBehind{50};
constexpr std::chrono::milliseconds kAfterRefusal{20};
constexpr std::size_t kLongestLength = 5;  // digits of a reply's length

}  // namespace

Asker::Asker(const Board& board, Tally& tally, AskerSetup setup)
    : board_(board), tally_(tally), setup_(setup), random_(setup_.seed) {}

Asker::~Asker() {
  close();
}

void Asker::turn(Clock::time_point now, bool is_over) {
  if (fd_ < 0 && !connect(now)) return;
  send();
  receive(now);
  give_up_what_is_late(now);
  if (fd_ >= 0 && !is_over && open_.empty() && now >= due_) ask(now);
}

bool Asker::connect(Clock::time_point now) {
  if (now < connect_at_) return false;
  fd_ = bench::connect_to(setup_.address);
  if (fd_ < 0) {
    const std::string why = std::strerror(errno);
    for (const Open& each : std::exchange(open_, {})) tally_.note_deferred(each.question, why);
    connect_at_ = now + kAfterRefusal;
    return false;
  }
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  request_again(now);
  return true;
}

// What the connection before this one left open.
void Asker::request_again(Clock::time_point now) {
  for (Open& each : open_) {
    each.asked = now;
    out_ += board_.request(each.question);
  }
  send();
}

void Asker::ask(Clock::time_point now) {
  if (setup_.reconnects_after > 0 && answered_ >= setup_.reconnects_after) {
    close();
    if (!connect(now)) return;
  }
  const std::chrono::duration<double> pause(static_cast<double>(setup_.depth) / setup_.rate);
  due_ = std::max(due_, now - kMostBehind) + std::chrono::duration_cast<Clock::duration>(pause);
  for (std::size_t i = 0; i < setup_.depth; ++i) {
    const std::size_t question = random_() % board_.size();
    open_.push_back({question, board_.allowed(question), false, now, now});
    out_ += board_.request(question);
  }
  send();
}

void Asker::send() {
  while (fd_ >= 0 && !out_.empty()) {
    const auto sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // no room, or the end of the connection, which reading tells
    out_.erase(0, static_cast<std::size_t>(sent));
  }
}

void Asker::receive(Clock::time_point now) {
  std::array<char, 16384> piece;
  while (fd_ >= 0) {
    const auto count = ::recv(fd_, piece.data(), piece.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return on_end(count == 0 ? "end of the stream" : std::strerror(errno), now);
    in_.append(piece.data(), static_cast<std::size_t>(count));
    if (!take_replies(now)) return on_end("no netstring", now);
  }
}

bool Asker::take_replies(Clock::time_point now) {
  std::string_view rest = in_;
  while (!rest.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (error != std::errc{} || digits > kLongestLength) return false;
    if (rest.size() < digits + length + 2) break;
    if (rest[digits] != ':' || rest[digits + 1 + length] != ',' || open_.empty()) return false;
    on_reply(rest.substr(digits + 1, length), now);
    rest.remove_prefix(digits + length + 2);
  }
  in_.erase(0, in_.size() - rest.size());
  return true;
}

void Asker::on_reply(std::string_view reply, Clock::time_point now) {
  const Open& asked = open_.front();
  const auto allowed = static_cast<Answers>(asked.allowed | board_.allowed(asked.question));
  tally_.note_answer(asked.question, reply, allowed, now - asked.first_asked);
  open_.pop_front();
  ++answered_;
}

void Asker::give_up_what_is_late(Clock::time_point now) {
  if (open_.empty() || now - open_.front().asked <= setup_.patience) return;
  for (const Open& each : std::exchange(open_, {})) {
    tally_.note_late(each.question, now - each.asked);
  }
  close();
}

void Asker::on_end(std::string_view why, Clock::time_point now) {
  close();
  std::deque<Open> again;
  for (Open& each : std::exchange(open_, {})) {
    if (each.is_second_try) {
      tally_.note_deferred(each.question, why);
    } else {
      tally_.note_retry();
      each.is_second_try = true;
      again.push_back(each);
    }
  }
  open_ = std::move(again);
  connect_at_ = now;
}

void Asker::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  in_.clear();
  out_.clear();
  answered_ = 0;
}

}  // namespace soak
