#include "src/net/batch.h"

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

TEST_CASE("peers who ask at once get each their own answer, all looked for before the first") {
  EchoRig world;
  const std::vector<std::string> lines{"a", "b", "c", "d", "e"};
  const auto clients = world.ask(lines);
  world.rig.turn();
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(hear(clients[i]) == lines[i] + "\n");
  REQUIRE(world.log.size() == 3 * lines.size());
  for (std::size_t i = 0; i < world.log.size(); ++i) {
    const std::string step = i < 5 ? "ahead " : i < 10 ? "further " : "answer ";
    CHECK(world.log[i].starts_with(step));
  }
  for (const auto& line : lines) CHECK(world.place_of("answer " + line).has_value());
}

TEST_CASE("more peers than a batch has places for, and longer requests than it has room for") {
  EchoRig world;
  std::vector<std::string> lines;
  for (int i = 0; i < 40; ++i) lines.push_back(std::to_string(i));
  for (char c = 'a'; c <= 'e'; ++c) lines.emplace_back(16'000, c);
  const auto clients = world.ask(lines);
  world.rig.turn();
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK((hear(clients[i]) == lines[i] + "\n"));
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

TEST_CASE("stopping answers those who have asked, then closes") {
  EchoRig world;
  const auto clients = world.ask({"a", "b", "c"});
  bool stopped = false;
  world.rig.server.stop(milliseconds{1000}, [&] { stopped = true; });
  world.rig.turn();
  CHECK(stopped);
  const std::vector<std::string> lines{"a", "b", "c"};
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(hear(clients[i]) == lines[i] + "\n<end>");
}

TEST_CASE("a server that stops amid a batch owes nobody in it, and nobody outside, an answer") {
  EchoRig world;
  bool stopped = false;
  std::vector<std::string> lines;
  for (int i = 0; i < 20; ++i) lines.push_back(std::to_string(i));
  auto clients = world.ask(lines);
  // Who was answered before would be let go where nothing is owed to him.
  world.rig.turn();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(hear(clients[i]) == lines[i] + "\n");
    say(clients[i], lines[i] + "\n");
  }
  clients[1].reset();
  world.on_answer = [&] {
    world.on_answer = nullptr;
    world.rig.server.stop(milliseconds{1000}, [&] { stopped = true; });
  };
  world.rig.turn();
  CHECK(stopped);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (clients[i]) CHECK(hear(clients[i]) == lines[i] + "\n<end>");
  }
}
