// A connection that we open, against listeners of this process.
#include "src/net/client_connection.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "tests/unit/catch.h"

namespace {

class Listener {
 public:
  explicit Listener(const std::string& host = "127.0.0.1") {
    const auto address = base::inet_address(host, 0);
    REQUIRE(address);
    fd_.reset(::socket(address->family(), SOCK_STREAM, 0));
    REQUIRE(::bind(fd_.get(), address->raw(), address->length) == 0);
    REQUIRE(::listen(fd_.get(), 1) == 0);
    address_.length = sizeof address_.storage;
    REQUIRE(::getsockname(fd_.get(), address_.raw(), &address_.length) == 0);
  }
  [[nodiscard]] const base::SocketAddress& address() const { return address_; }
  [[nodiscard]] base::UniqueFd accept() const {
    return base::UniqueFd(::accept(fd_.get(), nullptr, nullptr));
  }
  void close() { fd_.reset(); }

 private:
  base::UniqueFd fd_;
  base::SocketAddress address_;
};

void say(const base::UniqueFd& fd, std::string_view text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

// Writes down what it is told; the loop stops at each.
struct Client final : net::ClientConnection::Owner {
  explicit Client(const base::SocketAddress& address) {
    REQUIRE(context.ok());
    connection.emplace(loop, address, *context, *this);
  }
  void on_connected(std::string_view our_address) override {
    told("connected from " + std::string(our_address));
  }
  void on_connect_failed(std::string_view why) override { told("failed: " + std::string(why)); }
  void on_bytes(std::string_view bytes) override {
    heard += bytes;
    told("bytes");
  }
  void on_tls(net::PeerTls /*peer*/) override { told("tls"); }
  void on_tls_failed(std::string_view /*why*/, bool is_refusal) override {
    told(is_refusal ? "tls refused" : "tls failed");
  }
  void on_end(bool is_reset) override { told(is_reset ? "reset" : "end"); }

  void told(std::string what) {
    log.push_back(std::move(what));
    if (then) then();
    loop.stop();
  }
  // The next thing that happens.
  std::string next() {
    net::Timer patience(loop, [this] { told("nothing"); });
    patience.start(std::chrono::seconds(10));
    loop.run();
    return log.back();
  }

  net::Loop loop;
  base::Result<net::TlsContext> context = net::TlsContext::make("");
  std::vector<std::string> log;
  std::string heard;
  std::function<void()> then;
  std::optional<net::ClientConnection> connection;
};

// Both ends of a connection that stands.
struct Met {
  Met() {
    client.next();
    peer = listener.accept();
  }
  Listener listener;
  Client client{listener.address()};
  base::UniqueFd peer;
};

}  // namespace

TEST_CASE("client connection: both ways, and the end") {
  for (const std::string host : {"127.0.0.1", "::1"}) {
    const Listener listener(host);
    Client client(listener.address());
    CHECK(client.next() == "connected from " + host);
    auto peer = listener.accept();
    say(peer, "220 hello\r\n");
    CHECK(client.next() == "bytes");
    CHECK(client.heard == "220 hello\r\n");
    client.connection->send("");
    client.connection->send("EHLO me\r\n");
    std::array<char, 100> got{};
    CHECK(::recv(peer.get(), got.data(), got.size(), 0) == 9);
    peer.reset();
    CHECK(client.next() == "end");
    client.connection->send("nobody hears this");
  }
}

TEST_CASE("client connection: a peer that resets is not one that is done") {
  Met met;
  const linger at_once{1, 0};
  ::setsockopt(met.peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  met.peer.reset();
  CHECK(met.client.next() == "reset");
}

TEST_CASE(
    "client connection: what can't be reached is told of by the loop, however early it is known") {
  Listener listener;
  const auto address = listener.address();
  listener.close();
  CHECK(Client(address).next() == "failed: Connection refused");

  Client early(*base::inet_address("255.255.255.255", 25));
  CHECK(early.log.empty());
  CHECK_THAT(early.next(), Catch::Matchers::StartsWith("failed: "));
}

TEST_CASE("client connection: without a descriptor it fails like any other") {
  const Listener listener;
  std::optional<Client> client;
  client.emplace(listener.address());
  client->next();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  client->connection.emplace(client->loop, listener.address(), *client->context, *client);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(client->next() == "failed: Too many open files");
}

TEST_CASE("client connection: a slow peer gets all of it, in order") {
  Met met;
  std::string sent;
  for (int i = 0; i < 2'000'000; ++i) sent += static_cast<char>('a' + i % 23);
  for (int i = 0; i < 8; ++i) met.client.connection->send(sent);
  std::string got;
  std::vector<char> chunk(1'000'000);
  net::Timer reading(met.client.loop, [&] {
    const auto size = ::recv(met.peer.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size > 0) got.append(chunk.data(), static_cast<std::size_t>(size));
    if (got.size() == 8 * sent.size()) return met.client.loop.stop();
    reading.start(std::chrono::microseconds(100));
  });
  reading.start(std::chrono::microseconds(0));
  CHECK(met.client.next() == "connected from 127.0.0.1");
  REQUIRE(got.size() == 8 * sent.size());
  for (std::size_t i = 0; i < 8; ++i) CHECK(got.compare(i * sent.size(), sent.size(), sent) == 0);
  // And still hears.
  say(met.peer, "250\r\n");
  CHECK(met.client.next() == "bytes");
}

TEST_CASE("client connection: an owner may close it whenever it is told something") {
  Met met;
  met.client.then = [&] { met.client.connection->close(); };
  say(met.peer, "220 hello\r\n");
  CHECK(met.client.next() == "bytes");
  met.client.connection->start_tls();
  say(met.peer, "more");
  net::Timer soon(met.client.loop, [&] { met.client.loop.stop(); });
  soon.start(std::chrono::milliseconds(50));
  met.client.loop.run();
  CHECK(met.client.log.size() == 2);
}

TEST_CASE("client connection: a peer that answers a handshake with something else") {
  Met met;
  met.client.connection->start_tls();
  say(met.peer, "554 no TLS today\r\n");
  CHECK(met.client.next() == "tls failed");
}

TEST_CASE("client connection: a peer that leaves in the handshake") {
  Met met;
  met.client.connection->start_tls();
  // Its hello must be read, or the end is a reset.
  std::array<char, 4096> hello{};
  CHECK(::recv(met.peer.get(), hello.data(), hello.size(), 0) > 0);
  met.peer.reset();
  CHECK(met.client.next() == "end");
}
