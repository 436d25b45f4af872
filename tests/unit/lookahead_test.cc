#include "src/net/lookahead.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/server_rig.h"

using server_rig::hear;
using server_rig::milliseconds;
using server_rig::Rig;
using server_rig::say;

namespace {

// Answers each line with itself, and writes down what happened to it in which order.
class EchoSession final : public net::Session {
 public:
  EchoSession(std::vector<std::string>& log, const std::function<void()>& on_answer)
      : log_(log), on_answer_(on_answer) {}
  Step receive(std::string_view in, std::string& out) override {
    const auto end = in.find('\n');
    if (end == std::string_view::npos) return {};
    log_.push_back("answer " + std::string(in.substr(0, end)));
    out += in.substr(0, end + 1);
    if (on_answer_) on_answer_();
    return {end + 1, false};
  }
  bool look_ahead(std::string_view in) override {
    seen_ = in.substr(0, in.find('\n'));
    log_.push_back("ahead " + seen_);
    return true;
  }
  void look_further() override { log_.push_back("further " + seen_); }

 private:
  std::vector<std::string>& log_;
  const std::function<void()>& on_answer_;
  std::string seen_;
};

class EchoRig {
 public:
  std::vector<std::string> log;
  std::function<void()> on_answer;
  Rig rig{[this] { return std::make_unique<EchoSession>(log, on_answer); }};

  // As many peers as `lines`, each of which has sent its own; they are read in one turn.
  std::vector<base::UniqueFd> ask(const std::vector<std::string>& lines) {
    std::vector<base::UniqueFd> clients;
    for (std::size_t i = 0; i < lines.size(); ++i) clients.push_back(rig.connect());
    rig.turn();
    for (std::size_t i = 0; i < lines.size(); ++i) say(clients[i], lines[i] + "\n");
    return clients;
  }
  [[nodiscard]] std::optional<std::size_t> place_of(const std::string& entry) const {
    const auto found = std::find(log.begin(), log.end(), entry);
    if (found == log.end()) return std::nullopt;
    return static_cast<std::size_t>(found - log.begin());
  }
};

}  // namespace

TEST_CASE("peers who ask at once get each their own answer, found ahead of it") {
  EchoRig world;
  const std::vector<std::string> lines{"a", "b", "c", "d", "e"};
  const auto clients = world.ask(lines);
  world.rig.turn();
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(hear(clients[i]) == lines[i] + "\n");
  std::size_t ahead = 0;
  for (const auto& line : lines) {
    const auto looked = world.place_of("ahead " + line);
    if (!looked) continue;
    ++ahead;
    const auto further = world.place_of("further " + line);
    const auto answered = world.place_of("answer " + line);
    REQUIRE(further.has_value());
    CHECK(*looked < *further);
    CHECK(*further < answered.value_or(0));
  }
  CHECK(ahead >= 4);  // the last one of a turn has nobody behind it
  CHECK(world.place_of("ahead b") < world.place_of("answer a"));
}

TEST_CASE("a peer who asks alone is answered at once") {
  EchoRig world;
  const auto clients = world.ask({"a"});
  world.rig.turn();
  CHECK(hear(clients[0]) == "a\n");
  CHECK(world.log == std::vector<std::string>{"answer a"});
}

TEST_CASE("who hangs up before his answer harms nobody else's") {
  EchoRig world;
  auto clients = world.ask({"a", "b", "c", "d"});
  clients[1].reset();
  clients[2].reset();
  world.rig.turn();
  CHECK(hear(clients[0]) == "a\n");
  CHECK(hear(clients[3]) == "d\n");
  CHECK(world.rig.server.connections() == 2);
}

TEST_CASE("a request in two halves, each of them among others, is answered once") {
  EchoRig world;
  const auto clients = world.ask({"a", "b", "c"});
  world.rig.turn();
  for (const auto& client : clients) CHECK(hear(client).size() == 2);
  say(clients[0], "x");
  say(clients[1], "y");
  world.rig.turn();
  say(clients[0], "1\n");
  say(clients[1], "2\n");
  say(clients[2], "z\n");
  world.rig.turn();
  CHECK(hear(clients[0]) == "x1\n");
  CHECK(hear(clients[1]) == "y2\n");
  CHECK(hear(clients[2]) == "z\n");
}

TEST_CASE("stopping answers those who were read from ahead, then closes") {
  EchoRig world;
  const auto clients = world.ask({"a", "b", "c"});
  bool stopped = false;
  world.rig.server.stop(milliseconds{1000}, [&] { stopped = true; });
  world.rig.turn();
  CHECK(stopped);
  const std::vector<std::string> lines{"a", "b", "c"};
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(hear(clients[i]) == lines[i] + "\n<end>");
}

TEST_CASE("who is gone when the server stops is not answered any more") {
  EchoRig world;
  bool stopped = false;
  auto clients = world.ask({"a", "b", "c", "d"});
  clients[1].reset();
  world.on_answer = [&] {
    world.on_answer = nullptr;
    world.rig.server.stop(milliseconds{1000}, [&] { stopped = true; });
  };
  world.rig.turn();
  CHECK(stopped);
  CHECK_FALSE(world.place_of("answer b").has_value());
  CHECK(hear(clients[2]) == "c\n<end>");
  CHECK(hear(clients[3]) == "d\n<end>");
}
