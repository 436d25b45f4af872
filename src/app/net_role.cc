// Role `net`: speaks with resolvers and mail hosts, and so with whoever a domain's owner names. Is
// told names to watch, and reports what it saw there; holds no policy and no database, and opens no
// file once its sandbox has closed.
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "src/app/config.h"
#include "src/app/outbox.h"
#include "src/app/probe_setup.h"
#include "src/app/role.h"
#include "src/app/sandbox.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/engine/probe_evidence.h"
#include "src/image/sealed_file.h"
#include "src/jobs/patrol.h"
#include "src/model/reserved_address.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/net_message.h"
#include "src/wire/probe_record.h"
#include "src/wire/role_message.h"

namespace app {
namespace {

using wire::FromParent;
using wire::NetToAnswer;
using wire::NetToStore;
using wire::StoreToNet;
using wire::ToParent;

constexpr std::chrono::seconds kStatsEvery{1};
constexpr std::size_t kLargestList = 256U << 20U;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  // Never short once the kernel is up (getrandom(2)).
  while (::getrandom(&seed, sizeof seed, 0) != sizeof seed) {
  }
  return seed;
}

class Net {
 public:
  Net();
  void run() { loop_.run(); }

 private:
  void on_parent(net::Message message);
  void on_store(const net::Message& message);
  void configure(std::string_view text);
  void connect_peer(net::Message message);
  void go();
  base::Result<void> start_patrol();
  void take_list(int fd);
  void take_events(std::string_view payload);
  void report(const jobs::Patrol::Checked& checked);
  void tell_stats();

  base::SystemClock clock_;
  net::Loop loop_;
  Config config_;
  base::UniqueFd first_list_;  // that came before there was a patrol
  std::unique_ptr<jobs::DnsDesk> desk_;
  std::optional<net::TlsContext> tls_;
  std::unique_ptr<jobs::Patrol> patrol_;
  std::unique_ptr<net::Channel> answer_;
  std::unique_ptr<net::Channel> store_;
  Outbox to_answer_;
  Outbox to_store_;
  wire::NetStats told_;
  net::Channel parent_;
  net::Timer stats_timer_;
};

Net::Net()
    : to_answer_(loop_),
      to_store_(loop_),
      parent_(
          loop_, base::UniqueFd(kParentChannel),
          [this](net::Message message) { on_parent(std::move(message)); },
          [this] { loop_.stop(); }),
      stats_timer_(loop_, [this] { tell_stats(); }) {}

void Net::on_parent(net::Message message) {
  switch (static_cast<FromParent>(message.type)) {
    case FromParent::Config:
      configure(message.payload);
      break;
    case FromParent::Peer:
      connect_peer(std::move(message));
      break;
    case FromParent::Go:
      go();
      break;
    case FromParent::Stop:
      loop_.stop();
      break;
    case FromParent::Ping:
      parent_.send(ToParent::Pong);
      break;
    case FromParent::Listeners:
    case FromParent::Image:
    case FromParent::StateBase:
    case FromParent::EvidenceUid:
    case FromParent::Roles:
      break;
  }
}

// Another configuration than the first is for the next process: the parent starts it.
void Net::configure(std::string_view text) {
  ParsedConfig parsed = parse_config(text, "configuration");
  if (!parsed.errors.empty() || patrol_) return;
  config_ = std::move(parsed.config);
  base::set_log_level(config_.log_level);
}

void Net::connect_peer(net::Message message) {
  if (message.descriptors.size() != 1 || message.payload.size() != 1) return;
  const bool is_store = message.payload.front() == static_cast<char>(wire::PeerRole::Store);
  auto& channel = is_store ? store_ : answer_;
  auto& outbox = is_store ? to_store_ : to_answer_;
  outbox.set_channel(nullptr);
  channel = std::make_unique<net::Channel>(
      loop_, std::move(message.descriptors.front()),
      [this, is_store](const net::Message& from_peer) {
        if (is_store) on_store(from_peer);
      },
      [&channel, &outbox] {
        outbox.set_channel(nullptr);
        channel.reset();
      });
  outbox.set_channel(channel.get());
  if (is_store) told_ = {};
}

void Net::on_store(const net::Message& message) {
  switch (static_cast<StoreToNet>(message.type)) {
    case StoreToNet::Watched:
      if (message.descriptors.size() != 1) break;
      take_list(message.descriptors.front().get());
      break;
    case StoreToNet::Events:
      take_events(message.payload);
      break;
  }
}

void Net::take_list(int fd) {
  if (!patrol_) {
    first_list_.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return;
  }
  const auto list = image::read_sealed(fd, kLargestList);
  patrol_->take_list(list);
}

void Net::take_events(std::string_view payload) {
  while (const auto event = wire::take_watch_event(payload)) {
    if (patrol_) patrol_->take_event(*event);
  }
}

void Net::go() {
  if (const auto started = start_patrol(); !started) {
    base::log_error("no destination is probed: {}; mend that and reload", started.error());
  }
  ::tzset();  // timegm(3), which reads the time of a certificate, would open /etc/localtime
  enter_sandbox(Role::Net);
  if (patrol_ && first_list_) take_list(std::exchange(first_list_, {}).get());
  tell_stats();
  parent_.send(ToParent::Ready);
}

base::Result<void> Net::start_patrol() {
  const auto choice = choose_resolver(config_);
  if (!choice) return base::Error{choice.error()};
  auto desk = jobs::DnsDesk::make(loop_, *choice, {});
  if (!desk) return base::Error{desk.error()};
  auto tls = net::TlsContext::make(config_.tls_ca_file);
  if (!tls) return base::Error{tls.error()};
  jobs::Patrol::Settings settings;
  if (auto allowed = model::parse_networks(config_.probe_allow)) {
    settings.etiquette.allowed = std::move(*allowed);
  }
  if (auto opt_out = engine::parse_opt_out(config_.probe_opt_out)) {
    settings.opt_out = std::move(*opt_out);
  }
  settings.seed = random_seed();
  settings.ehlo_name = find_ehlo_name();
  desk_ = std::move(*desk);
  tls_.emplace(std::move(*tls));
  patrol_ = std::make_unique<jobs::Patrol>(
      loop_, clock_, *desk_, *tls_, settings,
      [this](const jobs::Patrol::Checked& checked) { report(checked); });
  return {};
}

void Net::report(const jobs::Patrol::Checked& checked) {
  const auto at = checked.at.time_since_epoch().count();
  const auto places = engine::places_of(checked.route, checked.targets);
  const auto finding = engine::find_what_mail_meets(places);
  std::string found;
  wire::append_found_record(found, {checked.route.next_hop, at, finding.encrypted, finding.verified,
                                    finding.secure, finding.was_offered, finding.mx});
  to_answer_.put(NetToAnswer::Found, std::move(found));
  std::string record;
  wire::append_record(record, engine::summarise(checked.route, checked.targets, at));
  to_store_.put(NetToStore::Checked, std::move(record));
}

void Net::tell_stats() {
  wire::NetStats stats;
  stats.pid = static_cast<std::uint64_t>(::getpid());
  if (patrol_) {
    const auto& counts = patrol_->counts();
    stats.watched = patrol_->schedule().watched();
    stats.waiting = patrol_->schedule().in_hand();
    stats.open = patrol_->schedule().open_probes();
    stats.checks = counts.checks;
    stats.put_off = counts.put_off;
    stats.probes = counts.probes;
    stats.refused = counts.refused;
  }
  stats.evidence = to_answer_.sent();
  stats.dropped = to_answer_.dropped() + to_store_.dropped();
  // Figures that come late are of no use, so they don't wait in a queue.
  if (!(stats == told_) && store_ && store_->send(NetToStore::Stats, wire::to_payload(stats))) {
    told_ = stats;
  }
  stats_timer_.start(kStatsEvery);
}

}  // namespace

int run_net() {
  Net().run();
  return 0;
}

}  // namespace app
