// What role `ingest` reads, and the configuration.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "src/app/config.h"
#include "src/app/log_follower.h"
#include "src/app/position_file.h"
#include "src/app/tlsrpt_intake.h"
#include "src/net/address.h"
#include "tests/inject/clients.h"
#include "tests/inject/scenario.h"

namespace inject {
namespace {

std::string nothing_left(const World& /*world*/) {
  return {};
}

// As syslog writes.
void append(const World& world, int first, int last) {
  const Calm ours;
  std::ofstream log(world.path("mail.log"), std::ios::app | std::ios::binary);
  for (int i = first; i <= last; ++i) log << "line " << i << '\n';
}

Outcome follow(const World& world) {
  std::vector<std::string> lines;
  const auto take = [&lines](std::string_view line, app::LineAge age) {
    const Calm ours;
    if (age != app::LineAge::Known) lines.emplace_back(line);
  };
  app::LogFollower follower(world.path("mail.log"));
  bool is_told = false;
  const auto read = [&] {
    for (int i = 0; i < 20 && follower.read_some(take); ++i) {
    }
    is_told |= !follower.trouble().empty();
  };
  append(world, 1, 10);
  read();
  append(world, 11, 20);
  read();
  {
    const Calm ours;
    std::filesystem::rename(world.path("mail.log"), world.path("mail.log.1"));
  }
  append(world, 21, 30);
  read();
  append(world, 31, 40);
  read();
  // What failed fails no more.
  disarm();
  const std::size_t before = lines.size();
  for (int i = 0; i < 3; ++i) read();
  // A file that could not be opened before it was called otherwise, at the first start of all, is
  // not looked for; then an admin was told.
  if (is_told && lines.size() == 20 && lines.front() == "line 21") {
    return world.refused("the first file was never seen");
  }
  for (std::size_t i = 0; i < 40; ++i) {
    if (i >= lines.size()) return world.wrong(fmt::format("line {} is lost", i + 1));
    if (lines[i] != fmt::format("line {}", i + 1)) {
      return world.wrong(fmt::format("'{}' where line {} is due", lines[i], i + 1));
    }
  }
  if (lines.size() > 40) return world.wrong("lines come twice");
  return before == 40 ? Outcome::Exact : world.refused("lines came late");
}

app::LogPosition position_at(std::uint64_t offset) {
  app::LogPosition position;
  position.device = 1;
  position.inode = 2;
  position.offset = offset;
  position.head_digest = "00ff";
  position.serial = offset / 10;
  return position;
}

void prepare_position(const World& world) {
  must(app::PositionFile(world.path("state.db")).save(position_at(10)));
}

Outcome save_position(const World& world) {
  app::PositionFile file(world.path("state.db"));
  Outcome outcome = Outcome::Exact;
  for (unsigned i = 2; i < 5; ++i) {
    if (const auto saved = file.save(position_at(i * 10)); saved.ok()) {
      world.acknowledge(i);
    } else {
      outcome = world.refused(saved.error());
    }
  }
  return outcome;
}

std::string inspect_position(const World& world) {
  const auto loaded = app::PositionFile(world.path("state.db")).load();
  if (!loaded || !*loaded) return "there is no position";
  const app::LogPosition& found = **loaded;
  unsigned newest = 1;
  for (unsigned i = 2; i < 5; ++i) newest = world.is_acknowledged(i) ? i : newest;
  if (found != position_at(found.offset)) return "half of a position";
  return found.offset >= newest * 10 ? "" : "an older position";
}

constexpr std::string_view kConfig =
    "policy_db = /x/policy.db\nmode = observe\ntlsmap_listen = unix:/x/a, inet:127.0.0.1:8460\n"
    "trust_maillog = yes\nfreeze_window = 77\n";

void prepare_config(const World& world) {
  std::ofstream(world.path("tlspolicyd.conf")) << kConfig;
}

Outcome configure(const World& world) {
  const auto text = app::read_config_file(world.path("tlspolicyd.conf"));
  if (!text) return world.refused(text.error());
  const auto parsed = app::parse_config(*text, "tlspolicyd.conf");
  if (!parsed.errors.empty()) return world.wrong(parsed.errors.front());
  const auto& config = parsed.config;
  const bool is_same = config.policy_db == "/x/policy.db" && config.freeze_window == 77 &&
                       config.mode == model::RowMode::Observe && config.trust_maillog &&
                       config.tlsmap_listen.size() == 2;
  return is_same ? Outcome::Exact : world.wrong("another configuration");
}

// As Postfix 3.10 sends it: a delivery that worked, and where it went.
constexpr std::string_view kDatagram =
    R"({"d": "c00.good.test","pr": "v=TLSRPTv1; rua=mailto:tlsrpt@good.test",)"
    R"("policies":[{"policy-type":9,"policy-domain": "c00.good.test","t":0,"f":0}]})";
constexpr std::uint64_t kDatagrams = 5;

void send_datagrams(const std::string& path) {
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(&address.sun_path[0], path.c_str(), sizeof address.sun_path - 1);
  const auto* to = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  for (std::uint64_t i = 0; i < kDatagrams; ++i) {
    static_cast<void>(
        ::sendto(fd.get(), kDatagram.data(), kDatagram.size(), 0, to, sizeof address));
  }
}

// From our own uid, and another one is the trusted one in `is_foreign`.
Outcome report(const World& world, bool is_foreign) {
  const base::SystemClock clock;
  net::Loop loop;
  wire::IngestStats stats;
  auto socket = net::bind_datagrams(world.path("tlsrpt"), {.mode = 0600});
  if (!socket) return world.refused(socket.error());
  std::uint64_t taken = 0;
  std::uint64_t believed = 0;
  app::TlsrptIntake intake(loop, clock, std::move(*socket), world.path("tee"), stats,
                           [&](const wire::ReportedEvidence& reported) {
                             ++taken;
                             believed += reported.evidence.is_trusted ? 1 : 0;
                           });
  intake.set_trusted_uid(is_foreign ? ::getuid() + 1 : ::getuid());
  {
    const Calm ours;
    send_datagrams(world.path("tlsrpt"));
  }
  const bool is_over = turn_until(loop, [&] { return stats.datagrams >= kDatagrams; });
  const Calm ours;
  if (is_foreign && believed > 0) return world.wrong("a stranger is believed");
  if (taken > stats.datagrams) return world.wrong("more evidence than datagrams");
  if (!is_foreign && believed != taken) return world.refused("our own word is not believed");
  if (stats.datagrams != kDatagrams)
    return world.refused(is_over ? "the loop ended" : "not all came");
  return taken == kDatagrams ? Outcome::Exact : world.refused("some are refused");
}

const std::array kScenarios{
    Scenario{"log-follower", [](const World&) {}, follow, nothing_left},
    Scenario{"position", prepare_position, save_position, inspect_position},
    Scenario{"config", prepare_config, configure, nothing_left},
    Scenario{"tlsrpt", [](const World&) {}, [](const World& world) { return report(world, false); },
             nothing_left},
    Scenario{"tlsrpt-foreign", [](const World&) {},
             [](const World& world) { return report(world, true); }, nothing_left},
};

}  // namespace

std::span<const Scenario> intake_scenarios() {
  return kScenarios;
}

}  // namespace inject
