#include "src/net/server.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/server_rig.h"

using server_rig::hear;
using server_rig::milliseconds;
using server_rig::Rig;
using server_rig::say;

TEST_CASE("requests are answered in order, also cut in the middle and many in one packet") {
  Rig rig;
  const auto client = rig.connect();
  say(client, "a\nb\nhalf");
  rig.turn();
  CHECK(hear(client) == "yes\nyes\n");
  say(client, " a line\n");
  rig.turn();
  CHECK(hear(client) == "yes\n");
  CHECK(rig.peer_uid == static_cast<std::int64_t>(::getuid()));
}

TEST_CASE("a session that hangs up has its replies sent first") {
  Rig rig;
  const auto client = rig.connect();
  say(client, "a\nbye\nb\n");
  rig.turn();
  CHECK(hear(client) == "yes\n<end>");
  rig.turn();
  CHECK(rig.server.connections() == 0);
}

TEST_CASE("a peer that does not read is not read from, and gets every reply once it does") {
  const std::string reply(1000, 'r');
  Rig rig(reply);
  const auto client = rig.connect();
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "x\n";
  say(client, lines);
  rig.turn();
  std::size_t heard = 0;
  for (int i = 0; i < 200 && heard < 2000 * reply.size(); ++i) {
    heard += hear(client).size();
    rig.turn(milliseconds{5});
  }
  CHECK(heard == 2000 * reply.size());
}

TEST_CASE("a peer that fell behind and has read all since is as idle as any") {
  const std::string reply(2'000'000, 'r');  // more than a socket takes at once
  Rig rig(reply);
  const auto client = rig.connect();
  say(client, "x\n");
  rig.turn();
  std::size_t heard = 0;
  for (int i = 0; i < 200 && heard < reply.size(); ++i) {
    heard += hear(client).size();
    rig.turn(milliseconds{5});
  }
  CHECK(heard == reply.size());
  rig.clock.advance(std::chrono::seconds{11});
  rig.turn(milliseconds{1100});
  CHECK(rig.server.stalled() == 0);
  say(client, "bye\n");
  rig.turn();
  CHECK(hear(client) == "<end>");
}

TEST_CASE("a peer that stalls in the middle of a request is dropped, an idle one never") {
  Rig rig;
  const auto idle = rig.connect();
  const auto stalled = rig.connect();
  say(idle, "a\n");
  say(stalled, "never finished");
  rig.turn();
  rig.clock.advance(std::chrono::seconds{11});
  rig.turn(milliseconds{1100});
  CHECK(hear(stalled) == "<end>");
  CHECK(hear(idle) == "yes\n");
  CHECK(rig.server.stalled() == 1);
}

TEST_CASE("with a lifetime an idle peer ends by the stall, and a busy one by its lifetime") {
  Rig rig([] { return std::make_unique<server_rig::LineSession>("yes\n"); },
          net::Server::Limits{.connections = 9,
                              .stall = std::chrono::seconds{10},
                              .lifetime = std::chrono::seconds{20}});
  const auto idle = rig.connect();
  const auto busy = rig.connect();
  rig.turn();
  say(busy, "a\n");
  rig.turn();
  rig.clock.advance(std::chrono::seconds{11});
  rig.turn(milliseconds{1200});
  CHECK(hear(idle) == "<end>");
  CHECK(hear(busy) == "yes\n");
  rig.clock.advance(std::chrono::seconds{10});
  rig.turn(milliseconds{1200});
  CHECK(hear(busy) == "<end>");
  CHECK(rig.server.stalled() == 2);
}

// Answers nothing until it may.
class WaitingSession final : public net::Session {
 public:
  explicit WaitingSession(const bool& may_answer) : may_answer_(may_answer) {}
  Step receive(std::string_view in, std::string& out) override {
    if (!may_answer_) return {};
    out += in;
    return {in.size(), true};
  }

 private:
  const bool& may_answer_;
};

TEST_CASE("what a session left alone is offered again, to every peer that waits") {
  bool may_answer = false;
  Rig rig([&may_answer] { return std::make_unique<WaitingSession>(may_answer); });
  const auto one = rig.connect();
  const auto other = rig.connect();
  const auto silent = rig.connect();
  say(one, "one");
  say(other, "other");
  rig.turn();
  rig.server.offer_again();
  CHECK(hear(one).empty());
  may_answer = true;
  rig.server.offer_again();
  rig.turn();
  CHECK(hear(one) == "one<end>");
  CHECK(hear(other) == "other<end>");
  CHECK(hear(silent).empty());
}

TEST_CASE("the time of one answer in sixteen is told, of none that was not given") {
  Rig rig;
  int samples = 0;
  rig.server.watch_latency([&samples](std::chrono::nanoseconds took) {
    CHECK(took.count() > 0);
    ++samples;
  });
  const auto client = rig.connect();
  say(client, "half of a li");  // the first reading, and no answer
  rig.turn(milliseconds{5});
  CHECK(samples == 0);
  for (int i = 0; i < 16; ++i) {
    say(client, "a\n");
    rig.turn(milliseconds{5});
  }
  CHECK(samples == 1);
}

TEST_CASE("at the limit accepting pauses, those who are in go on, and the next gets in later") {
  Rig rig("yes\n", 2);
  auto first = rig.connect();
  const auto second = rig.connect();
  const auto third = rig.connect();
  say(third, "a\n");
  rig.turn();
  CHECK(rig.server.connections() == 2);
  say(second, "a\n");
  rig.turn();
  CHECK(hear(second) == "yes\n");
  CHECK(hear(third).empty());
  first.reset();
  rig.turn(milliseconds{300});
  CHECK(hear(third) == "yes\n");
}

TEST_CASE("stopping answers what has arrived, then closes") {
  Rig rig;
  const auto client = rig.connect();
  say(client, "a\n");
  rig.turn();
  CHECK(hear(client) == "yes\n");
  say(client, "b\n");
  bool stopped = false;
  rig.server.stop(milliseconds{1000}, [&] { stopped = true; });
  rig.turn();
  CHECK(stopped);
  CHECK(hear(client) == "yes\n<end>");
}

TEST_CASE(
    "stopping waits for the first request of a peer, and for the rest of one that has begun") {
  Rig rig;
  const auto fresh = rig.connect();
  const auto halfway = rig.connect();
  say(halfway, "a\nhal");
  rig.turn();
  CHECK(hear(halfway) == "yes\n");
  bool stopped = false;
  rig.server.stop(milliseconds{5000}, [&] { stopped = true; });
  rig.turn();
  CHECK_FALSE(stopped);
  say(fresh, "a\n");
  say(halfway, "f\n");
  rig.turn();
  CHECK(hear(fresh) == "yes\n<end>");
  CHECK(hear(halfway) == "yes\n<end>");
  CHECK(stopped);
}

TEST_CASE("stopping ends at its deadline, also while a peer asks nothing") {
  Rig rig;
  const auto silent = rig.connect();
  rig.turn();
  bool stopped = false;
  rig.server.stop(milliseconds{50}, [&] { stopped = true; });
  rig.turn(milliseconds{200});
  CHECK(stopped);
  CHECK(hear(silent) == "<end>");
}

TEST_CASE("a stale socket file is replaced, a served one and a plain file are not") {
  Rig rig;
  auto served = net::listen_unix(rig.path(), {});
  REQUIRE_FALSE(served.ok());
  CHECK(served.error().find("another process serves it") != std::string::npos);

  const std::string stale = rig.path() + ".stale";
  static_cast<void>(net::listen_unix(stale, {}));  // closed at once, the file stays
  CHECK(net::listen_unix(stale, {}).ok());

  const std::string plain = rig.path() + ".plain";
  const base::UniqueFd made(::open(plain.c_str(), O_CREAT | O_WRONLY, 0600));
  auto refused = net::listen_unix(plain, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().find("isn't a socket") != std::string::npos);
}
