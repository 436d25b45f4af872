#include "src/app/listeners.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/net/address.h"

namespace app {
namespace {

// The roles of a daemon that was killed a moment ago die with their parent, but after it: for an
// instant they still hold its addresses. One that waits for its disk dies when the disk answers.
constexpr std::chrono::seconds kFormerRolesGrace{1};
constexpr std::chrono::seconds kHungRolesGrace{10};
constexpr std::chrono::milliseconds kTryAgainAfter{10};

base::Result<std::int64_t> find_uid(const std::string& name, std::string_view key) {
  if (name.empty()) return std::int64_t{-1};
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return base::Error{fmt::format("{}: there is no user {}", key, name)};
  return std::int64_t{entry->pw_uid};
}

base::Result<std::int64_t> find_gid(const std::string& name, std::string_view key) {
  if (name.empty()) return std::int64_t{-1};
  const ::group* entry = ::getgrnam(name.c_str());
  if (entry == nullptr) return base::Error{fmt::format("{}: there is no group {}", key, name)};
  return std::int64_t{entry->gr_gid};
}

class Binder {
 public:
  Binder(const Config& config, const SocketFiles& files, std::vector<PassedSocket> passed)
      : config_(config), files_(files), passed_(std::move(passed)) {}

  base::Result<std::vector<BoundListener>> bind_all() {
    if (net::is_left_by_ended_process(config_.control_socket)) {
      base::log_info(
          "control_socket: {}: roles of a daemon that was killed still hold it; waiting up to {} s "
          "for them to end",
          config_.control_socket, kHungRolesGrace.count());
      deadline_ = clock_.steady() + kHungRolesGrace;
    }
    // What http shows is for admins, as the control socket is.
    for (const auto& [protocol, listens, file] :
         {std::tuple{wire::Listener::Tlsmap, &config_.tlsmap_listen, &files_.postfix},
          std::tuple{wire::Listener::Policyd, &config_.policyd_listen, &files_.postfix},
          std::tuple{wire::Listener::Http, &config_.http_listen, &files_.control}}) {
      for (const Listen& listen : *listens) {
        if (auto bound = bind(protocol, listen, *file); !bound) return base::Error{bound.error()};
      }
    }
    const Listen control{
        Listen::Kind::Unix, "unix:" + config_.control_socket, {}, 0, config_.control_socket};
    if (auto bound = bind(wire::Listener::Control, control, files_.control); !bound) {
      return base::Error{fmt::format("control_socket: {}", bound.error())};
    }
    if (auto bound = bind_tlsrpt(); !bound) {
      return base::Error{fmt::format("tlsrpt_socket: {}", bound.error())};
    }
    if (auto rest = take_the_rest(); !rest) return base::Error{rest.error()};
    return std::move(bound_);
  }

 private:
  base::Result<void> bind_tlsrpt() {
    const std::string& path = config_.tlsrpt_socket;
    if (path.empty()) return {};
    auto fd = net::bind_datagrams(path, files_.postfix);
    while (!fd && clock_.steady() < deadline_) {
      std::this_thread::sleep_for(kTryAgainAfter);
      fd = net::bind_datagrams(path, files_.postfix);
    }
    if (!fd) return base::Error{fd.error()};
    bound_.push_back({wire::Listener::Tlsrpt, std::move(*fd), path});
    return {};
  }

  static std::string find_fault(std::optional<wire::Listener> protocol, int fd) {
    auto fault = net::find_listener_fault(fd);
    if (fault.empty() && protocol == wire::Listener::Http && !net::is_bound_to_this_host(fd)) {
      fault = "others than this host can reach it; bind it to 127.0.0.1, [::1] or a path";
    }
    return fault;
  }

  std::optional<base::UniqueFd> take_passed(const Listen& listen) {
    const auto fits = [&](const PassedSocket& socket) {
      switch (listen.kind) {
        case Listen::Kind::Inet:
          return net::is_bound_to_inet(socket.fd.get(), listen.host, listen.port);
        case Listen::Kind::Unix:
          return net::is_bound_to_unix(socket.fd.get(), listen.path);
        case Listen::Kind::Passed:
          return socket.name == listen.path;
      }
      return false;
    };
    const auto found = std::find_if(passed_.begin(), passed_.end(), fits);
    if (found == passed_.end()) return std::nullopt;
    base::UniqueFd fd = std::move(found->fd);
    passed_.erase(found);
    return fd;
  }

  static base::Result<base::UniqueFd> make_listener(const Listen& listen,
                                                    const net::SocketFile& file) {
    return listen.kind == Listen::Kind::Inet ? net::listen_inet(listen.host, listen.port)
                                             : net::listen_unix(listen.path, file);
  }

  base::Result<void> bind(wire::Listener protocol, const Listen& listen,
                          const net::SocketFile& file) {
    if (auto fd = take_passed(listen)) {
      if (const auto fault = find_fault(protocol, fd->get()); !fault.empty()) {
        return base::Error{
            fmt::format("{}: the socket passed in can't serve: {}", listen.text, fault)};
      }
      bound_.push_back({protocol, std::move(*fd), {}});
      return {};
    }
    if (listen.kind == Listen::Kind::Passed) {
      return base::Error{
          fmt::format("{}: no socket of that name was passed in (LISTEN_FDNAMES)", listen.text)};
    }
    auto fd = make_listener(listen, file);
    while (!fd && clock_.steady() < deadline_) {
      std::this_thread::sleep_for(kTryAgainAfter);
      fd = make_listener(listen, file);
    }
    if (!fd) return base::Error{fd.error()};
    bound_.push_back({protocol, std::move(*fd), listen.path});
    return {};
  }

  base::Result<void> take_the_rest() {
    for (PassedSocket& socket : passed_) {
      std::optional<wire::Listener> protocol;
      if (socket.name.empty() || socket.name == "unknown" || socket.name.starts_with("tlsmap")) {
        protocol = wire::Listener::Tlsmap;
      } else if (socket.name.starts_with("policyd")) {
        protocol = wire::Listener::Policyd;
      } else if (socket.name.starts_with("http")) {
        protocol = wire::Listener::Http;
      }
      const auto fault = find_fault(protocol, socket.fd.get());
      if (!protocol || !fault.empty()) {
        return base::Error{fmt::format(
            "the passed socket \"{}\" can't be used: {}", base::printable(socket.name, 60),
            fault.empty() ? "its name begins with none of tlsmap, policyd, http" : fault)};
      }
      bound_.push_back({*protocol, std::move(socket.fd), {}});
    }
    return {};
  }

  const Config& config_;
  const SocketFiles& files_;
  base::SystemClock clock_;
  base::SteadyPoint deadline_ = clock_.steady() + kFormerRolesGrace;
  std::vector<PassedSocket> passed_;
  std::vector<BoundListener> bound_;
};

}  // namespace

base::Result<SocketFiles> find_socket_files(const Config& config) {
  const auto owner = find_uid(config.socket_owner, "socket_owner");
  const auto group = find_gid(config.socket_group, "socket_group");
  const auto user = find_uid(config.user, "user");
  const auto own_group = find_gid(config.group, "group");
  for (const auto* found : {&owner, &group, &user, &own_group}) {
    if (!*found) return base::Error{found->error()};
  }
  return SocketFiles{{config.socket_mode, *owner, *group}, {0660, *user, *own_group}};
}

base::Result<std::vector<BoundListener>> bind_listeners(const Config& config,
                                                        const SocketFiles& files,
                                                        std::vector<PassedSocket> passed) {
  return Binder(config, files, std::move(passed)).bind_all();
}

}  // namespace app
