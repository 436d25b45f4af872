// One role tells another: a channel with descriptors, and the outbox in front of it.
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "src/app/outbox.h"
#include "src/image/sealed_file.h"
#include "src/net/channel.h"
#include "tests/inject/clients.h"
#include "tests/inject/scenario.h"

namespace inject {
namespace {

constexpr int kMessages = 6;

// The other role: what it heard, in order.
struct Listener {
  std::vector<std::string> messages;
  bool is_closed = false;

  // With the bytes of the descriptors that came along.
  void take(const net::Message& message) {
    const Calm ours;
    std::string text = fmt::format("{}:{}", message.type, message.payload);
    for (const auto& fd : message.descriptors) {
      std::array<char, 16> bytes{};
      const ssize_t got = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
      text += fmt::format("+{}", std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    }
    messages.push_back(text);
  }
};

// What was said to be sent must arrive, in order and whole, unless the other side was told the end.
Outcome judge(const World& world, const Listener& other, const std::vector<std::string>& sent,
              bool is_all) {
  const Calm ours;
  if (other.messages.size() > sent.size() ||
      !std::equal(other.messages.begin(), other.messages.end(), sent.begin())) {
    return world.wrong(
        fmt::format("message {} is another, or was never sent", other.messages.size()));
  }
  if (other.messages.size() == sent.size()) {
    return is_all ? Outcome::Exact : world.refused("not all could be sent");
  }
  return other.is_closed ? world.refused("the channel ended")
                         : world.wrong(fmt::format("{} of {} messages came, and no end",
                                                   other.messages.size(), sent.size()));
}

Outcome pass(const World& world) {
  net::Loop loop;
  auto ends = net::make_channel_ends();
  if (!ends.first || !ends.second) return world.refused("no ends");
  Listener other;
  net::Channel here(
      loop, std::move(ends.first), [](const net::Message&) {}, [] {});
  net::Channel there(
      loop, std::move(ends.second), [&other](const net::Message& message) { other.take(message); },
      [&other] { other.is_closed = true; });
  std::vector<std::string> sent;
  for (int i = 0; i < kMessages; ++i) {
    const auto type = static_cast<std::uint8_t>(i + 1);
    const auto payload = std::string(static_cast<std::size_t>(i) * 100, 'x');
    std::string expected = fmt::format("{}:{}", type, payload);
    bool is_sent = false;
    if (i % 2 == 1) {
      const auto fd = image::seal("tlspolicyd-image", {"an image"});
      if (!fd) continue;
      const std::array fds{fd->get()};
      is_sent = here.send(type, payload, fds);
      expected += "+an image";
    } else {
      is_sent = here.send(type, payload);
    }
    if (is_sent) sent.push_back(std::move(expected));
  }
  const auto is_over = [&] { return other.is_closed || other.messages.size() >= sent.size(); };
  // A role whose loop gave up is gone.
  if (turn_until(loop, is_over) && !is_over()) return world.refused("the loop ended");
  return judge(world, other, sent, sent.size() == kMessages);
}

Outcome put(const World& world) {
  net::Loop loop;
  auto ends = net::make_channel_ends();
  if (!ends.first || !ends.second) return world.refused("no ends");
  Listener other;
  bool is_gone = false;
  net::Channel here(
      loop, std::move(ends.first), [](const net::Message&) {}, [&is_gone] { is_gone = true; });
  net::Channel there(
      loop, std::move(ends.second), [&other](const net::Message& message) { other.take(message); },
      [&other] { other.is_closed = true; });
  app::Outbox outbox(loop);
  outbox.set_channel(&here);
  std::vector<std::string> sent;
  for (int i = 0; i < kMessages; ++i) {
    const auto payload = fmt::format("message {}", i);
    outbox.put(std::uint8_t{9}, payload);
    sent.push_back("9:" + payload);
  }
  const auto is_over = [&] {
    return is_gone || other.is_closed ||
           (outbox.sent() == kMessages && other.messages.size() == kMessages);
  };
  if (turn_until(loop, is_over) && !is_over()) return world.refused("the loop ended");
  const bool is_all = outbox.sent() == kMessages;
  sent.resize(outbox.sent());
  return judge(world, other, sent, is_all);
}

std::string nothing_left(const World& /*world*/) {
  return {};
}

const std::array kScenarios{
    Scenario{"channel", [](const World&) {}, pass, nothing_left},
    Scenario{"outbox", [](const World&) {}, put, nothing_left},
};

}  // namespace

std::span<const Scenario> channel_scenarios() {
  return kScenarios;
}

}  // namespace inject
