#include "src/net/client_connection.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace net {
namespace {

constexpr std::size_t kReadAtOnce = 16 * 1024;

std::string our_address_of(int fd) {
  base::SocketAddress ours;
  ours.length = sizeof ours.storage;
  if (::getsockname(fd, ours.raw(), &ours.length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* made = nullptr;
  if (ours.family() == AF_INET) {
    const auto four = ours.as<sockaddr_in>();
    made = ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  } else {
    const auto six = ours.as<sockaddr_in6>();
    made = ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return made == nullptr ? std::string() : std::string(made);
}

}  // namespace

ClientConnection::ClientConnection(Loop& loop, const base::SocketAddress& address,
                                   const TlsContext& context, Owner& owner)
    : loop_(loop), context_(context), owner_(owner) {
  begin(address);
}

void ClientConnection::begin(const base::SocketAddress& address) {
  fd_.reset(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_ || (::connect(fd_.get(), address.raw(), address.length) != 0 && errno != EINPROGRESS)) {
    early_error_ = errno;
  }
  // The last flight of a handshake and the EHLO behind it are two small packets.
  const int on = 1;
  if (fd_) ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  event_ = make_event(loop_, fd_.get(), EV_READ | EV_WRITE, on_event, this);
  if (early_error_ != 0) {
    event_active(event_.get(), EV_WRITE, 0);
  } else {
    watch_for(EV_WRITE);
  }
}

// One event for both directions: it is made anew where what it waits for changes.
void ClientConnection::watch_for(short what) {
  event_del(event_.get());
  event_assign(event_.get(), loop_.raw(), fd_.get(), static_cast<short>(what | EV_PERSIST),
               on_event, this);
  event_add(event_.get(), nullptr);
}

void ClientConnection::on_event(int /*fd*/, short what, void* self) noexcept {
  auto* connection = static_cast<ClientConnection*>(self);
  if (!connection->is_connected_) {
    connection->finish_connect();
    return;
  }
  if ((what & EV_WRITE) != 0) connection->flush();
  if (connection->fd_ && (what & EV_READ) != 0) connection->read_once();
}

void ClientConnection::finish_connect() {
  int error = early_error_;
  socklen_t length = sizeof error;
  if (error == 0 && ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
    error = errno;
  }
  if (error != 0) {
    close();
    owner_.on_connect_failed(std::strerror(error));
    return;
  }
  is_connected_ = true;
  watch_for(EV_READ);
  owner_.on_connected(our_address_of(fd_.get()));
}

void ClientConnection::read_once() {
  std::array<char, kReadAtOnce> chunk;
  const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close();
    owner_.on_end(got < 0);
    return;
  }
  const std::string_view bytes(chunk.data(), static_cast<std::size_t>(got));
  if (tls_) {
    take_secured(bytes);
  } else {
    owner_.on_bytes(bytes);
  }
}

void ClientConnection::take_secured(std::string_view bytes) {
  std::string plain;
  tls_->receive(bytes, plain);
  send_raw(tls_->take_output());
  report_tls();
  if (fd_ && !plain.empty()) owner_.on_bytes(plain);
  if (fd_ && tls_->state() == TlsSession::State::Closed) {
    close();
    owner_.on_end(false);
  }
}

void ClientConnection::report_tls() {
  if (!fd_) return;
  if (tls_->state() == TlsSession::State::Failed) {
    close();
    owner_.on_tls_failed(tls_->fault(), tls_->is_refusal());
  } else if (tls_->state() != TlsSession::State::Handshake &&
             !std::exchange(is_established_, true)) {
    owner_.on_tls(tls_->describe());
  }
}

void ClientConnection::start_tls(TlsSession::Offer offer) {
  tls_ = std::make_unique<TlsSession>(context_, offer);
  tls_->start();
  send_raw(tls_->take_output());
  report_tls();
}

void ClientConnection::send(std::string_view bytes) {
  if (!tls_) {
    send_raw(bytes);
    return;
  }
  tls_->send(bytes);
  send_raw(tls_->take_output());
}

void ClientConnection::send_raw(std::string_view bytes) {
  if (!fd_ || bytes.empty()) return;
  unsent_ += bytes;
  flush();
}

// A peer that is gone shows itself to the next recv().
void ClientConnection::flush() {
  const bool was_behind = (event_get_events(event_.get()) & EV_WRITE) != 0;
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
  const bool is_behind = !unsent_.empty() && errno == EAGAIN;
  if (is_behind != was_behind) {
    watch_for(static_cast<short>(is_behind ? EV_READ | EV_WRITE : EV_READ));
  }
}

void ClientConnection::close() {
  if (event_) event_del(event_.get());
  fd_.reset();
}

}  // namespace net
