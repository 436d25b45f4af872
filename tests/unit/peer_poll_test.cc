#include "src/net/peer_poll.h"

#include <functional>
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/server_rig.h"

using server_rig::hear;
using server_rig::Rig;
using server_rig::say;

namespace {

// Answers each line with itself, counts them and tells of each.
class CountingSession final : public net::Session {
 public:
  CountingSession(int& answered, const std::function<void()>& on_answer)
      : answered_(answered), on_answer_(on_answer) {}
  Step receive(std::string_view in, std::string& out) override {
    Step step;
    while (out.size() < net::kMostUnreadReplies) {
      const auto end = in.find('\n', step.consumed);
      if (end == std::string_view::npos) break;
      out += in.substr(step.consumed, end + 1 - step.consumed);
      step.consumed = end + 1;
      ++answered_;
      if (on_answer_) on_answer_();
    }
    return step;
  }

 private:
  int& answered_;
  const std::function<void()>& on_answer_;
};

struct CountingRig {
  int answered = 0;
  std::function<void()> on_answer;
  Rig rig{[this] { return std::make_unique<CountingSession>(answered, on_answer); }, 500};
};

}  // namespace

TEST_CASE("peers: all who ask at once are answered, however many they are") {
  CountingRig world;
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(world.rig.connect());
    if (i % 50 == 0) world.rig.turn();
  }
  world.rig.turn();
  for (std::size_t i = 0; i < clients.size(); ++i) say(clients[i], std::to_string(i) + "\n");
  world.rig.turn();
  for (std::size_t i = 0; i < clients.size(); ++i)
    CHECK(hear(clients[i]) == std::to_string(i) + "\n");
  CHECK(world.answered == 400);
}

TEST_CASE("peers: who never stops asking leaves the rest of the loop its turn") {
  constexpr int kMost = 200'000;  // a timer of some milliseconds ends it long before
  CountingRig world;
  const auto client = world.rig.connect();
  world.rig.turn();
  world.on_answer = [&] {
    if (world.answered == kMost) return;
    say(client, "again\n");
    hear(client);
  };
  say(client, "first\n");
  world.rig.turn();
  CHECK(world.answered > 256);
  CHECK(world.answered < kMost);
}

TEST_CASE("peers: one who reads late is sent the rest when there is room, and may ask again") {
  const std::string reply(1'000'000, 'y');
  Rig rig(reply);
  const auto client = rig.connect();
  rig.turn();
  for (int i = 0; i < 2; ++i) {
    // All of it is read; that there is room again is the only thing that can come.
    say(client, "ask\n");
    rig.turn();
    std::string heard = hear(client);
    CHECK(heard.size() < reply.size());
    for (int turns = 0; turns < 1000 && heard.size() < reply.size(); ++turns) {
      rig.turn(server_rig::milliseconds{1});
      heard += hear(client);
    }
    CHECK((heard == reply));  // too long to be printed
  }
}
