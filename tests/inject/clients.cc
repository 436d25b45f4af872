#include "tests/inject/clients.h"

#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "src/base/clock.h"
#include "src/net/address.h"
#include "src/net/loop.h"

namespace inject {
namespace {

constexpr std::size_t kClients = 2;
// DESIGN section 6: every request is answered within 2 s; some more on a busy machine.
constexpr std::chrono::milliseconds kPatience{2500};

base::UniqueFd connect_to(const std::string& path) {
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(&address.sun_path[0], path.c_str(), sizeof address.sun_path - 1);
  const auto* raw = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (::connect(fd.get(), raw, sizeof address) != 0) fd.reset();
  return fd;
}

void listen_to(const base::UniqueFd& fd, Heard& heard) {
  std::array<char, 4096> bytes{};
  while (!heard.is_closed) {
    const ssize_t got = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) heard.bytes.append(bytes.data(), static_cast<std::size_t>(got));
    heard.is_closed = got <= 0;
  }
}

}  // namespace

bool turn_until(net::Loop& loop, const std::function<bool()>& is_over) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    const int turned = ::event_base_loop(loop.raw(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    const Calm ours;
    if (is_over()) return true;
    if (turned < 0 || loop.has_failed()) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

std::vector<Heard> serve(const World& world, net::Server::MakeSession make_session,
                         const std::string& request,
                         const std::function<bool(const std::string&)>& is_all) {
  const base::SystemClock clock;
  net::Loop loop;
  net::Server server(loop, clock, {.connections = 10, .stall = std::chrono::seconds{10}});
  auto listener = net::listen_unix(world.path("socket"), {.mode = 0600});
  if (!listener) {
    world.refused(listener.error());
    return {};
  }
  server.add_listener(std::move(*listener), std::move(make_session));
  server.start();
  std::vector<Heard> heard(kClients);
  std::vector<base::UniqueFd> clients(kClients);
  {
    const Calm ours;
    for (auto& client : clients) {
      client = connect_to(world.path("socket"));
      if (client) static_cast<void>(::send(client.get(), request.data(), request.size(), 0));
    }
  }
  const auto hear = [&] {
    for (std::size_t i = 0; i < kClients; ++i) {
      heard[i].is_connected = static_cast<bool>(clients[i]);
      if (clients[i]) listen_to(clients[i], heard[i]);
    }
    return std::all_of(heard.begin(), heard.end(), [&](const Heard& one) {
      return !one.is_connected || one.is_closed || is_all(one.bytes);
    });
  };
  const bool is_over = turn_until(loop, hear);
  // While no descriptor is to be had peers wait to be taken; then they are.
  disarm();
  if (!is_over) turn_until(loop, hear);
  // A role whose loop gave up is gone, and its connections with it.
  if (is_over) {
    for (Heard& one : heard) one.is_closed = true;
  }
  return heard;
}

}  // namespace inject
