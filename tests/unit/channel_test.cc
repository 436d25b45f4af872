#include "src/net/channel.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>

#include "tests/unit/catch.h"

namespace {

// Two channels over one pair, on one loop, and what the second one got.
struct Pair {
  Pair() {
    auto [one, other] = net::make_channel_ends();
    sender.emplace(
        loop, std::move(one), [](net::Message) {}, [] {});
    receiver.emplace(
        loop, std::move(other),
        [this](net::Message message) {
          ++messages;
          type = message.type;
          payload = message.payload;
          descriptors = std::move(message.descriptors);
          loop.stop();
        },
        [this] {
          closed = true;
          loop.stop();
        });
  }

  net::Loop loop;
  std::optional<net::Channel> sender;
  std::optional<net::Channel> receiver;
  int messages = 0;
  std::uint8_t type = 0;
  std::string payload;
  std::vector<base::UniqueFd> descriptors;
  bool closed = false;
};

}  // namespace

TEST_CASE("a message arrives with its type and payload, the empty one too") {
  Pair pair;
  REQUIRE(pair.sender->send(7, "hello"));
  pair.loop.run();
  CHECK(pair.type == 7);
  CHECK(pair.payload == "hello");
  REQUIRE(pair.sender->send(9, ""));
  pair.loop.run();
  CHECK(pair.type == 9);
  CHECK(pair.payload.empty());
}

TEST_CASE("the largest payload arrives whole and a larger one is refused") {
  Pair pair;
  const std::string largest(net::kLargestMessage, 'x');
  CHECK_FALSE(pair.sender->send(1, largest + "x"));
  REQUIRE(pair.sender->send(1, largest));
  pair.loop.run();
  CHECK(pair.payload == largest);
}

TEST_CASE("descriptors arrive as descriptors of the same files, closed on exec") {
  Pair pair;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  REQUIRE(pair.sender->send(2, "", ends));
  pair.loop.run();
  REQUIRE(pair.descriptors.size() == 2);
  for (const auto& fd : pair.descriptors) CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  REQUIRE(::send(pair.descriptors[0].get(), "x", 1, 0) == 1);
  char byte = 0;
  CHECK(::recv(ends[1], &byte, 1, 0) == 1);
  for (const int fd : ends) ::close(fd);
}

TEST_CASE("the end of one side is told to the other, and sending to it fails") {
  Pair pair;
  pair.sender.reset();
  pair.loop.run();
  CHECK(pair.closed);
  CHECK_FALSE(pair.receiver->send(1, "x"));
}

TEST_CASE("a full queue refuses instead of blocking") {
  Pair pair;
  const std::string large(32 * 1024, 'x');
  int sent = 0;
  while (sent < 10'000 && pair.sender->send(1, large)) ++sent;
  CHECK(sent > 0);
  CHECK(sent < 10'000);
}

TEST_CASE("what a peer said before it died can be taken at once, its end included") {
  Pair pair;
  REQUIRE(pair.sender->send(7, "first"));
  REQUIRE(pair.sender->send(8, "last"));
  pair.sender.reset();
  pair.receiver->drain();
  CHECK(pair.messages == 2);
  CHECK(pair.payload == "last");
  CHECK(pair.closed);
}

TEST_CASE("what a peer said before it died is not lost where it had not read what it was told") {
  Pair pair;
  REQUIRE(pair.sender->send(7, "said"));
  REQUIRE(pair.receiver->send(1, "never read"));
  pair.sender.reset();
  SECTION("taken at once") {
    pair.receiver->drain();
  }
  SECTION("by the loop") {
    pair.loop.run();
    CHECK_FALSE(pair.closed);
    pair.loop.run();
  }
  CHECK(pair.messages == 1);
  CHECK(pair.payload == "said");
  CHECK(pair.closed);
}
