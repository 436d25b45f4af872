// Listening sockets: what is passed in is recognised, and what is in the way of one is told.
#include "src/net/address.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "src/base/socket_address.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace {

std::uint16_t port_of(int fd) {
  base::SocketAddress bound;
  bound.length = sizeof bound.storage;
  REQUIRE(::getsockname(fd, bound.raw(), &bound.length) == 0);
  return ntohs(bound.family() == AF_INET6 ? bound.as<sockaddr_in6>().sin6_port
                                          : bound.as<sockaddr_in>().sin_port);
}

}  // namespace

TEST_CASE("address: a socket passed in is known by its address, port and family") {
  for (const std::string host : {"127.0.0.1", "::1"}) {
    INFO(host);
    const auto fd = net::listen_inet(host, 0);
    REQUIRE(fd);
    const auto port = port_of(fd->get());
    CHECK(net::is_bound_to_inet(fd->get(), host, port));
    CHECK_FALSE(net::is_bound_to_inet(fd->get(), host, static_cast<std::uint16_t>(port + 1)));
    CHECK_FALSE(net::is_bound_to_inet(fd->get(), host == "::1" ? "::2" : "127.0.0.2", port));
    CHECK_FALSE(net::is_bound_to_inet(fd->get(), host == "::1" ? "127.0.0.1" : "::1", port));
    CHECK_FALSE(net::is_bound_to_inet(fd->get(), "mx.example", port));
    CHECK_FALSE(net::is_bound_to_unix(fd->get(), "/tmp/some.sock"));
    CHECK(net::is_bound_to_this_host(fd->get()));
    CHECK(net::find_listener_fault(fd->get()).empty());
    // Whoever has the port has it alone.
    CHECK(net::listen_inet(host, port).error().find("cannot bind") != std::string::npos);
  }
  CHECK(net::listen_inet("mx.example", 25).error() == "inet:mx.example:25: that is no IP address");
}

TEST_CASE("address: what others reach is not this host's alone") {
  for (const std::string host : {"0.0.0.0", "::"}) {
    INFO(host);
    const auto fd = net::listen_inet(host, 0);
    REQUIRE(fd);
    CHECK_FALSE(net::is_bound_to_this_host(fd->get()));
  }
}

TEST_CASE("address: what is no listener is told apart") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const base::UniqueFd pipe(ends[0]);
  const base::UniqueFd other(ends[1]);
  CHECK(net::find_listener_fault(pipe.get()) == "it is not a socket");
  CHECK_FALSE(net::is_bound_to_inet(pipe.get(), "127.0.0.1", 1));
  CHECK_FALSE(net::is_bound_to_unix(pipe.get(), "/tmp/some.sock"));
  CHECK_FALSE(net::is_bound_to_this_host(pipe.get()));
  const base::UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(net::find_listener_fault(datagrams.get()) == "it is not a stream socket");
  const base::UniqueFd stream(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(net::find_listener_fault(stream.get()) == "it does not listen");
}

TEST_CASE("address: a unix socket takes the place of a stale one, and of nothing else") {
  const test::Folder folder;
  const auto path = folder.path("map.sock");
  {
    const auto first = net::listen_unix(path, {});
    REQUIRE(first);
    CHECK(net::is_bound_to_unix(first->get(), path));
    CHECK_FALSE(net::is_bound_to_unix(first->get(), path + "x"));
    CHECK(net::is_bound_to_this_host(first->get()));
    CHECK(net::listen_unix(path, {}).error().find("another process serves it") !=
          std::string::npos);
  }
  const auto again = net::listen_unix(path, {0600, -1, -1});
  REQUIRE(again);
  struct stat file {};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777U) == 0600U);
  const auto plain = folder.path("plain");
  std::ofstream(plain) << "mine";
  CHECK(net::listen_unix(plain, {}).error().find("isn't a socket is in the way") !=
        std::string::npos);
  CHECK(net::listen_unix(folder.path(std::string(200, 'x')), {}).error().find("too long") !=
        std::string::npos);
  CHECK(net::listen_unix(folder.path("none/map.sock"), {}).error().find("cannot bind") !=
        std::string::npos);
  const auto datagrams = net::bind_datagrams(folder.path("tlsrpt.sock"), {});
  REQUIRE(datagrams);
  CHECK(net::find_listener_fault(datagrams->get()) == "it is not a stream socket");
}
