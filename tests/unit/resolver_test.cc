#include "src/net/resolver.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "tests/unit/catch.h"

namespace {

using net::Resolver;
using std::chrono::milliseconds;
using Failure = Resolver::Failure;

// A question with a name in its place: header, "x", type A, class IN.
const std::string kQuestion = std::string("\0\0\1\x20\0\1\0\0\0\0\0\0\1x\0\0\1\0\1", 19);

// A server on the test's own loop, that answers or keeps what it is asked.
class Server {
 public:
  explicit Server(net::Loop& loop) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
    socklen_t size = sizeof any;
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
    port = ntohs(any.sin_port);
    watch_.emplace(loop, fd_.get(), [this] { receive(); });
  }
  [[nodiscard]] net::ResolverServer address() const { return {"127.0.0.1", port}; }

  std::uint16_t port = 0;
  bool is_dead = false;
  std::vector<std::string> questions;
  std::function<void()> on_question;

 private:
  void receive() {
    std::array<char, 512> buffer{};
    sockaddr_in client{};
    socklen_t size = sizeof client;
    const auto length = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&client), &size);
    REQUIRE(length > 0);
    questions.emplace_back(buffer.data(), static_cast<std::size_t>(length));
    if (on_question) on_question();
    if (is_dead) return;
    auto answer = questions.back();
    answer[2] = '\x81';
    answer[3] = '\x80';
    ::sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&client),
             size);
  }

  base::UniqueFd fd_;
  std::optional<net::ReadWatch> watch_;
};

struct Rig {
  explicit Rig(Resolver::Limits limits = {}) {
    auto made = Resolver::make(loop, {server.address()}, limits);
    REQUIRE(made.ok());
    resolver = std::move(*made);
  }
  // Runs the loop until it is stopped, or the test has taken far too long.
  void run() {
    net::Timer alarm(loop, [this] {
      late = true;
      loop.stop();
    });
    alarm.start(std::chrono::seconds{20});
    loop.run();
    REQUIRE_FALSE(late);
  }
  // Runs what the loop has to do now.
  void turn() {
    net::Timer soon(loop, [this] { loop.stop(); });
    soon.start(milliseconds{30});
    run();
  }

  net::Loop loop;
  Server server{loop};
  bool late = false;
  std::unique_ptr<Resolver> resolver;
};

// Waits for nothing that a test could notice.
constexpr Resolver::Limits kShort{
    .timeout = milliseconds{50}, .tries = 1, .deadline = milliseconds{400}};

}  // namespace

TEST_CASE("A question is answered once, from the loop, under an identity of its own") {
  Rig rig;
  int calls = 0;
  const auto asked = rig.resolver->ask(kQuestion, [&](const Resolver::Answer& answer) {
    ++calls;
    CHECK_FALSE(answer.failure);
    CHECK(answer.bytes.size() == kQuestion.size());
    CHECK(answer.bytes.substr(12) == kQuestion.substr(12));
    rig.loop.stop();
  });
  CHECK(calls == 0);
  rig.run();
  rig.turn();
  CHECK(calls == 1);
  CHECK(rig.server.questions.size() == 1);
  CHECK(rig.resolver->open() == 0);
  CHECK(rig.server.questions[0].substr(2) == kQuestion.substr(2));
}

TEST_CASE("Identities are not to be guessed from one another") {
  Rig rig;
  std::vector<std::unique_ptr<Resolver::Question>> asked;
  std::size_t answered = 0;
  for (int i = 0; i < 20; ++i) {
    asked.push_back(rig.resolver->ask(kQuestion, [&](const Resolver::Answer&) {
      if (++answered == 20) rig.loop.stop();
    }));
  }
  rig.run();
  std::vector<int> steps;
  for (std::size_t i = 1; i < rig.server.questions.size(); ++i) {
    const auto identity = [&](std::size_t at) {
      const auto& bytes = rig.server.questions[at];
      return static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]);
    };
    steps.push_back(identity(i) - identity(i - 1));
  }
  std::sort(steps.begin(), steps.end());
  CHECK(std::unique(steps.begin(), steps.end()) - steps.begin() > 15);
}

TEST_CASE("A question that is destroyed is never answered") {
  Rig rig;
  int calls = 0;
  auto asked = rig.resolver->ask(kQuestion, [&](const Resolver::Answer&) { ++calls; });
  rig.server.on_question = [&] { asked.reset(); };
  rig.turn();
  CHECK(rig.server.questions.size() == 1);
  CHECK(calls == 0);
  CHECK(rig.resolver->open() == 0);
}

TEST_CASE("A callback may ask, and destroy any question") {
  Rig rig;
  int calls = 0;
  std::unique_ptr<Resolver::Question> first;
  std::unique_ptr<Resolver::Question> second;
  std::unique_ptr<Resolver::Question> third;
  const auto on_first = [&](const Resolver::Answer&) {
    ++calls;
    second.reset();
    first.reset();
    third = rig.resolver->ask(kQuestion, [&](const Resolver::Answer& answer) {
      ++calls;
      CHECK_FALSE(answer.failure);
      rig.loop.stop();
    });
  };
  // Both are answered in one turn: the second is in hand already when the first one's callback
  // runs.
  first = rig.resolver->ask("", on_first);
  second = rig.resolver->ask("", [&](const Resolver::Answer&) { FAIL("it was destroyed"); });
  rig.run();
  CHECK(calls == 2);
}

TEST_CASE("Silence ends with the deadline, however many tries are left") {
  Rig rig({.timeout = std::chrono::seconds{10}, .tries = 10, .deadline = milliseconds{50}});
  rig.server.is_dead = true;
  std::optional<Failure> failure;
  const auto asked = rig.resolver->ask(kQuestion, [&](const Resolver::Answer& answer) {
    failure = answer.failure;
    rig.loop.stop();
  });
  rig.run();
  CHECK(failure == Failure::Timeout);
  CHECK(rig.resolver->open() == 1);  // c-ares goes on for a while, for nobody
}

TEST_CASE("Silence ends with the last try") {
  Rig rig({.timeout = milliseconds{50}, .tries = 2, .deadline = std::chrono::seconds{15}});
  rig.server.is_dead = true;
  std::optional<Failure> failure;
  const auto asked = rig.resolver->ask(kQuestion, [&](const Resolver::Answer& answer) {
    failure = answer.failure;
    rig.loop.stop();
  });
  rig.run();
  CHECK(failure == Failure::Timeout);
  CHECK(rig.server.questions.size() == 2);
  CHECK(rig.resolver->open() == 0);
}

TEST_CASE("A server that is silent makes room for the next one") {
  Rig rig;
  Server second(rig.loop);
  rig.server.is_dead = true;
  auto both = Resolver::make(
      rig.loop, {rig.server.address(), second.address()},
      {.timeout = milliseconds{50}, .tries = 1, .deadline = std::chrono::seconds{15}});
  REQUIRE(both.ok());
  std::optional<Failure> failure = Failure::Full;
  const auto asked = (*both)->ask(kQuestion, [&](const Resolver::Answer& answer) {
    failure = answer.failure;
    rig.loop.stop();
  });
  rig.run();
  CHECK_FALSE(failure);
  CHECK(second.questions.size() == 1);
}

TEST_CASE("Beyond the bound, questions that were given up count too") {
  Rig rig({.timeout = std::chrono::seconds{10}, .open = 3});
  rig.server.is_dead = true;
  for (int i = 0; i < 3; ++i) {
    const auto given_up =
        rig.resolver->ask(kQuestion, [](const Resolver::Answer&) { FAIL("given up"); });
  }
  std::optional<Failure> failure;
  const auto asked = rig.resolver->ask(kQuestion, [&](const Resolver::Answer& answer) {
    failure = answer.failure;
    rig.loop.stop();
  });
  rig.run();
  CHECK(failure == Failure::Full);
  rig.turn();
  CHECK(rig.resolver->open() == 3);
}

TEST_CASE("What is no question is refused, from the loop as well") {
  Rig rig;
  std::vector<std::optional<Failure>> failures;
  std::vector<std::unique_ptr<Resolver::Question>> asked;
  for (const auto& bad : {std::string(), std::string("short"), std::string(70000, 'x')}) {
    asked.push_back(rig.resolver->ask(bad, [&](const Resolver::Answer& answer) {
      failures.push_back(answer.failure);
      if (failures.size() == 3) rig.loop.stop();
    }));
    CHECK(failures.empty());
  }
  rig.run();
  CHECK(failures == std::vector<std::optional<Failure>>(3, Failure::Refused));
}

TEST_CASE("A resolver may go with questions open") {
  Rig rig(kShort);
  rig.server.is_dead = true;
  auto asked = rig.resolver->ask(kQuestion, [](const Resolver::Answer&) { FAIL("too late"); });
  rig.turn();
  asked.reset();
  rig.resolver.reset();
  rig.turn();
  CHECK(rig.server.questions.size() == 1);
}

TEST_CASE("Servers that are none are refused") {
  net::Loop loop;
  for (const auto& servers :
       {std::vector<net::ResolverServer>{}, std::vector<net::ResolverServer>{{"localhost", 53}},
        std::vector<net::ResolverServer>{{"127.0.0.1", 53}, {"1.2.3.4,5.6.7.8", 53}}}) {
    CHECK_FALSE(Resolver::make(loop, servers, {}).ok());
  }
  CHECK(Resolver::make(loop, {{"::1", 5353}, {"127.0.0.1", 53}}, {}).ok());
}
