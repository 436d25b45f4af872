// Postfix asks: the real server, sessions and decisions over a real socket.
#include <fmt/format.h>

#include <array>

#include "policyd/session.h"
#include "src/image/writer.h"
#include "src/jobs/decider.h"
#include "src/jobs/feedback.h"
#include "src/jobs/inbound_desk.h"
#include "src/model/next_hop.h"
#include "src/wire/netstring.h"
#include "tests/inject/clients.h"
#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"
#include "tlsmap/session.h"

namespace inject {
namespace {

using Replies = std::vector<std::string>;

class FixedClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override { return kNow; }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

class NoOutlet final : public jobs::Feedback::Outlet {
 public:
  bool propose(const wire::Proposal& /*proposal*/) override { return true; }
  void alarm(std::string_view /*what*/, std::string_view /*destination*/, std::string_view /*text*/,
             bool /*is_over*/) override {}
};

// All that stands between a question and its answer.
struct Answering {
  FixedClock clock;
  NoOutlet outlet;
  jobs::Decider decider{clock};
  jobs::Feedback feedback{clock, decider, outlet};
  tlsmap::Settings settings{};
  tlsmap::Counters counters{};

  explicit Answering(int image_fd) {
    decider.install(must(image::Image::map(image_fd, image::Image::Checksum::Now)));
    decider.attach(feedback);
    feedback.begin_base(jobs::Feedback::Base::Committed, {0, 1});
    feedback.end_base();
  }
  std::unique_ptr<net::Session> session() {
    return std::make_unique<tlsmap::Session>(decider, settings, counters);
  }
};

base::UniqueFd build_image() {
  image::Writer writer;
  std::array<std::uint32_t, 3> profiles{};
  constexpr std::array kLevels{model::Level::Encrypt, model::Level::Secure, model::Level::None};
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    model::Profile profile;
    profile.name = model::to_word(kLevels.at(i));
    profile.level = kLevels.at(i);
    profile.fallback = model::Fallback::Never;
    profiles.at(i) = must(writer.add_profile(profile));
  }
  must(writer.add_row({.destination = ".below.example", .profile = profiles[0]}));
  must(writer.add_row({.destination = "[192.0.2.1]:25", .profile = profiles[0]}));
  must(writer.add_row(
      {.destination = "bank.example", .profile = profiles[1], .match = "mx.bank.example"}));
  must(writer.add_row({.destination = "faulty.example", .fault = "its profile is not there"}));
  must(writer.add_row({.destination = "off.example", .profile = profiles[2]}));
  must(writer.add_row({.destination = "xn--bcher-kva.example", .profile = profiles[0]}));
  return must(writer.finish(kNow));
}

struct Samples {
  base::UniqueFd image;
  std::string requests;
  Replies replies;
};
Samples& samples() {
  static Samples one;
  return one;
}

Replies split(std::string_view bytes) {
  Replies replies;
  while (true) {
    const auto parsed = wire::parse_netstring(bytes, 1000);
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    if (frame == nullptr) return replies;
    replies.emplace_back(frame->payload);
    bytes.remove_prefix(frame->consumed);
  }
}

void prepare_socketmap(const World& /*world*/) {
  samples() = {};
  samples().image = build_image();
  for (const char* key :
       {"policy bank.example", "policy BÜCHER.example", "policy xn--bcher-kva.example",
        "policy deep.below.example", "policy [IPv6:2001:db8::1]:25", "policy [192.0.2.1]:25",
        "policy faulty.example", "policy off.example", "strict off.example",
        "policy-3.10 bank.example", "policy nobody.example", "outcome 2.0.0 sent",
        "transport u@bank.example", "policy bücher.example"}) {
    wire::append_netstring(samples().requests, key);
  }
  Answering all(samples().image.get());
  std::string out;
  all.session()->receive(samples().requests, out);
  samples().replies = split(out);
  if (samples().replies.at(0) != "OK secure match=mx.bank.example" ||
      samples().replies.at(13) != "OK encrypt" || samples().replies.at(3) != "OK encrypt") {
    give_up("the sample answers are others: " + out);
  }
}

// Each reply is the right one or TEMP; where some are missing the connection must have ended.
Outcome judge(const World& world, const Heard& heard, const Replies& replies,
              const Replies& expected, std::string_view temporary) {
  if (!heard.is_connected) return world.refused("no connection");
  if (replies.size() > expected.size()) return world.wrong("more replies than requests");
  Outcome outcome = Outcome::Exact;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i] == expected[i]) continue;
    if (!replies[i].starts_with(temporary)) {
      return world.wrong(
          fmt::format("request {}: '{}' instead of '{}'", i, replies[i], expected[i]));
    }
    outcome = world.refused(replies[i]);
  }
  if (replies.size() == expected.size()) return outcome;
  if (!heard.is_closed) {
    return world.wrong(
        fmt::format("{} of {} replies, and no end", replies.size(), expected.size()));
  }
  return world.refused("the connection ended");
}

// The worst of two.
Outcome both(Outcome one, Outcome other) {
  return one > other ? one : other;
}

Outcome ask_socketmap(const World& world) {
  std::unique_ptr<Answering> all;
  {
    const Calm ours;
    all = std::make_unique<Answering>(samples().image.get());
  }
  const auto heard = serve(
      world, [&all](const net::PeerCredentials&) { return all->session(); }, samples().requests,
      [](const std::string& bytes) { return split(bytes).size() >= samples().replies.size(); });
  const Calm ours;
  if (heard.empty()) return Outcome::Refused;
  Outcome outcome = Outcome::Exact;
  for (const Heard& one : heard) {
    outcome = both(outcome, judge(world, one, split(one.bytes), samples().replies, "TEMP "));
    if (outcome == Outcome::Wrong) break;
  }
  return outcome;
}

constexpr int kMails = 4;

Replies split_actions(std::string_view bytes) {
  Replies replies;
  for (auto end = bytes.find("\n\n"); end != std::string_view::npos; end = bytes.find("\n\n")) {
    replies.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 2);
  }
  return replies;
}

std::string mail(int number, std::string_view protocol, std::string_view sender) {
  return fmt::format(
      "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\ninstance=i{}\n"
      "client_address=192.0.2.1\nclient_name=unknown\nsender={}\nrecipient=a@b.example\n"
      "encryption_protocol={}\nencryption_keysize={}\n\n",
      number, sender, protocol, protocol.empty() ? 0 : 256);
}

Outcome ask_policyd(const World& world) {
  const FixedClock clock;
  jobs::InboundDesk desk(clock);
  policyd::Counters counters;
  std::string requests;
  std::array<model::InboundRule, 1> rules;
  {
    const Calm ours;
    rules[0].id = 7;
    rules[0].sender = "a.example";
    desk.install(rules);
    requests = mail(1, "", "u@a.example") + mail(2, "TLSv1.3", "u@a.example") +
               mail(3, "", "u@other.example") + mail(4, "", "w@a.example");
  }
  const auto heard = serve(
      world,
      [&](const net::PeerCredentials&) {
        return std::make_unique<policyd::Session>(desk, counters);
      },
      requests, [](const std::string& bytes) { return split_actions(bytes).size() >= kMails; });
  const Calm ours;
  if (heard.empty()) return Outcome::Refused;
  Outcome outcome = Outcome::Exact;
  for (const Heard& one : heard) {
    auto replies = split_actions(one.bytes);
    for (auto& reply : replies) reply = reply.substr(0, reply.find(' '));
    outcome = both(outcome, judge(world, one, replies,
                                  {"action=550", "action=DUNNO", "action=DUNNO", "action=550"},
                                  "action=DEFER"));
    if (outcome == Outcome::Wrong) return outcome;
  }
  return outcome;
}

std::string nothing_left(const World& /*world*/) {
  return {};
}

const std::array kScenarios{
    Scenario{"socketmap", prepare_socketmap, ask_socketmap, nothing_left},
    Scenario{"policyd", [](const World&) {}, ask_policyd, nothing_left},
};

}  // namespace

std::span<const Scenario> session_scenarios() {
  return kScenarios;
}

}  // namespace inject
