// A server on a unix socket and its clients, all on one thread: for tests of net/.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "src/net/address.h"
#include "src/net/server.h"
#include "tests/unit/catch.h"

namespace server_rig {

using std::chrono::milliseconds;

// Answers each line with `reply`, hangs up on "bye", and stops at the bound as every session must.
class LineSession final : public net::Session {
 public:
  explicit LineSession(std::string reply) : reply_(std::move(reply)) {}
  Step receive(std::string_view in, std::string& out) override {
    Step step;
    while (out.size() < net::kMostUnreadReplies) {
      const auto end = in.find('\n', step.consumed);
      if (end == std::string_view::npos) break;
      const auto line = in.substr(step.consumed, end - step.consumed);
      step.consumed = end + 1;
      if (line == "bye") return {step.consumed, true};
      out += reply_;
    }
    return step;
  }

 private:
  std::string reply_;
};

class SetClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override { return {}; }
  [[nodiscard]] base::SteadyPoint steady() const override { return steady_; }
  void advance(std::chrono::seconds by) { steady_ += by; }

 private:
  base::SteadyPoint steady_ = base::SteadyPoint{} + std::chrono::hours{1};
};

// A server on a unix socket, and clients that live on the same thread.
class Rig {
 public:
  // Every peer gets a LineSession that answers `reply`.
  explicit Rig(std::string reply = "yes\n", std::size_t most = 100)
      : Rig([reply] { return std::make_unique<LineSession>(reply); }, most) {}
  explicit Rig(std::function<std::unique_ptr<net::Session>()> make_session, std::size_t most = 100)
      : Rig(std::move(make_session),
            net::Server::Limits{.connections = most, .stall = std::chrono::seconds{10}}) {}
  Rig(std::function<std::unique_ptr<net::Session>()> make_session, net::Server::Limits limits)
      : server(loop, clock, limits) {
    std::string folder = std::filesystem::temp_directory_path() / "server_test.XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    auto listener = net::listen_unix(path(), {.mode = 0600});
    REQUIRE(listener.ok());
    server.add_listener(std::move(*listener),
                        [this, make_session](const net::PeerCredentials& peer) {
                          peer_uid = peer.uid;
                          return make_session();
                        });
    server.start();
  }
  ~Rig() { std::filesystem::remove_all(folder_); }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  [[nodiscard]] std::string path() const { return folder_ / "socket"; }

  [[nodiscard]] base::UniqueFd connect() const {
    base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(&address.sun_path[0], path().c_str(), sizeof address.sun_path - 1);
    const void* raw = &address;
    REQUIRE(::connect(fd.get(), static_cast<const sockaddr*>(raw), sizeof address) == 0);
    return fd;
  }

  // Lets the loop turn for a moment: long enough for what is already due.
  void turn(milliseconds time = milliseconds{30}) {
    net::Timer end(loop, [this] { loop.stop(); });
    end.start(time);
    loop.run();
  }

  net::Loop loop;
  SetClock clock;
  net::Server server;
  std::int64_t peer_uid = -1;

 private:
  std::filesystem::path folder_;
};

inline void say(const base::UniqueFd& fd, std::string_view text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

// Everything there is to read now; "<end>" where the server has closed.
inline std::string hear(const base::UniqueFd& fd) {
  std::string heard;
  std::string chunk(1 << 16, '\0');
  for (;;) {
    const ssize_t got = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
    if (got == 0) return heard + "<end>";
    if (got < 0) return heard;
    heard.append(chunk, 0, static_cast<std::size_t>(got));
  }
}

}  // namespace server_rig
