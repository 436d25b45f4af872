// Role `answer`: the sockets that Postfix talks to, the policy image in memory, nothing else. Once
// it serves it opens no file, and the sandbox holds it to that.
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <utility>

#include "src/app/answer_stats.h"
#include "src/app/config.h"
#include "src/app/image_intake.h"
#include "src/app/learner.h"
#include "src/app/mail_desks.h"
#include "src/app/pulse.h"
#include "src/app/report_channels.h"
#include "src/app/role.h"
#include "src/app/sandbox.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/jobs/decider.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/net/server.h"
#include "src/wire/role_message.h"
#include "tlsmap/session.h"

namespace app {
namespace {

using wire::AnswerToStore;
using wire::FromParent;
using wire::StoreToAnswer;
using wire::ToParent;

// Descriptors kept back for channels, images on their way, listeners and the log.
constexpr std::size_t kReservedDescriptors = 48;
// How long a start waits for its first policy, or for word whether the saved one is still that of
// policy.db, and for what is known of destinations; after that look-ups are answered TEMP, or from
// the saved one and at least `encrypt` where it depends on the destination, in time for the promise
// that every request is answered within two seconds.
constexpr std::chrono::milliseconds kFirstPolicyGrace{1500};
constexpr std::chrono::milliseconds kStopDeadline{2000};
constexpr std::chrono::milliseconds kStatsEvery{250};

net::Server::Limits find_limits() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::size_t most = files.rlim_cur;
  return {.connections = most > 2 * kReservedDescriptors ? most - kReservedDescriptors : most / 2,
          .stall = std::chrono::seconds{10}};
}

class Answer {
 public:
  Answer();
  void run() { loop_.run(); }

 private:
  void on_parent(net::Message message);
  void on_store(net::Message message);
  void configure(std::string_view text);
  void take_listeners(net::Message message);
  void connect_peer(net::Message message);
  void connect_store(net::Message message);
  void take_first_image(net::Message message);
  void take_new_image(net::Message message);
  void install_new_image(std::unique_ptr<image::Image> image, base::UniqueFd fd);
  void refuse_new_image(std::string_view why);
  void go();
  void serve_when_ready();
  void serve();
  void report();
  void hand_over_image();
  void set_mode();
  [[nodiscard]] std::uint64_t digest_in_force() const {
    return decider_.image() == nullptr ? 0 : decider_.image()->stamp().digest;
  }
  [[nodiscard]] bool is_trusted(const net::PeerCredentials& peer) const;
  bool tell_store(AnswerToStore type, std::string_view payload) {
    return store_ && store_->send(type, payload);
  }

  base::SystemClock clock_;
  net::Loop loop_;
  jobs::Decider decider_{clock_};
  Learner learner_;
  ReportChannels report_channels_;
  MailDesks mails_;
  tlsmap::Settings tlsmap_settings_;
  tlsmap::Counters tlsmap_counters_;
  net::Server server_;
  wire::AnswerStats reported_;
  wire::LatencyCounts latency_;
  model::RowMode configured_mode_ = model::RowMode::Enforce;
  wire::ModeMessage panic_;
  std::int64_t evidence_uid_ = -1;
  bool trusts_tcp_ = false;
  bool complete_ = false;         // the parent has handed over everything
  bool is_policy_known_ = false;  // or none is to be had
  bool is_told_ = false;          // what is known of destinations, or there is nobody to tell it
  bool serving_ = false;
  ImageIntake intake_;
  base::UniqueFd untold_image_;  // in force, and not in the parent's keeping yet
  Pulse pulse_;
  std::unique_ptr<net::Channel> store_;
  net::Channel parent_;
  net::Timer grace_;
  net::Timer stats_;
};

Answer::Answer()
    : learner_(
          loop_, clock_, decider_,
          [this](AnswerToStore type, std::string_view payload) {
            return tell_store(type, payload);
          },
          [this](ToParent type, std::string_view payload) { return parent_.send(type, payload); }),
      report_channels_(loop_, learner_.reports()),
      mails_(
          clock_, decider_,
          [this] {
            return base::sys_seconds(std::chrono::seconds(learner_.feedback().now().wall));
          },
          [this](AnswerToStore type, std::string_view payload) {
            return tell_store(type, payload);
          }),
      server_(loop_, clock_, find_limits()),
      intake_(
          loop_,
          [this](std::unique_ptr<image::Image> image, base::UniqueFd fd) {
            install_new_image(std::move(image), std::move(fd));
          },
          [this](std::string_view why) { refuse_new_image(why); }),
      pulse_(loop_, [this] { return serving_ ? std::optional(digest_in_force()) : std::nullopt; }),
      parent_(
          loop_, base::UniqueFd(kParentChannel),
          [this](net::Message message) { on_parent(std::move(message)); },
          [this] { loop_.stop(); }),
      grace_(loop_, [this] { serve(); }),
      stats_(loop_, [this] { report(); }) {
  decider_.attach(learner_.feedback());
  learner_.when_read([this] { serve_when_ready(); });
  server_.watch_latency([this](std::chrono::nanoseconds took) { add_sample(latency_, took); });
}

void Answer::on_parent(net::Message message) {
  switch (static_cast<FromParent>(message.type)) {
    case FromParent::Config:
      configure(message.payload);
      break;
    case FromParent::Listeners:
      take_listeners(std::move(message));
      break;
    case FromParent::Peer:
      connect_peer(std::move(message));
      break;
    case FromParent::Image:
      take_first_image(std::move(message));
      break;
    case FromParent::Go:
      go();
      break;
    case FromParent::Stop:
      server_.stop(kStopDeadline, [this] {
        learner_.finish();
        loop_.stop();
      });
      break;
    case FromParent::Ping:
      parent_.send(ToParent::Pong);
      break;
    case FromParent::EvidenceUid:
      evidence_uid_ = wire::parse_uid(message.payload);
      break;
    case FromParent::Roles:
      break;
    case FromParent::StateBase:
      if (message.descriptors.size() != 1) break;
      learner_.take_base(jobs::Feedback::Base::Kept, std::move(message.descriptors.front()));
      break;
  }
}

void Answer::configure(std::string_view text) {
  const ParsedConfig parsed = parse_config(text, "configuration");
  if (!parsed.errors.empty()) return;  // the parent has refused it already
  base::set_log_level(parsed.config.log_level);
  configured_mode_ = parsed.config.mode;
  set_mode();
  trusts_tcp_ = parsed.config.trust_tcp_outcomes;
  learner_.feedback().set_freeze_limits(
      {parsed.config.freeze_domains, parsed.config.freeze_share, parsed.config.freeze_window});
  learner_.reports().set_in_use(!parsed.config.maillog.empty() ||
                                !parsed.config.tlsrpt_socket.empty());
  tlsmap_settings_.version = parsed.config.postfix_version;
  server_.set_stall(std::chrono::seconds{parsed.config.stall_timeout});
}

void Answer::take_listeners(net::Message message) {
  if (message.payload.size() != message.descriptors.size()) return;
  for (std::size_t i = 0; i < message.payload.size(); ++i) {
    const bool is_policyd = message.payload[i] == static_cast<char>(wire::Listener::Policyd);
    server_.add_listener(
        std::move(message.descriptors[i]),
        [this, is_policyd](const net::PeerCredentials& peer) -> std::unique_ptr<net::Session> {
          if (is_policyd)
            return std::make_unique<policyd::Session>(mails_.oracle(), mails_.counters());
          return std::make_unique<tlsmap::Session>(decider_, tlsmap_settings_, tlsmap_counters_,
                                                   &learner_, is_trusted(peer),
                                                   peer.is_local ? peer.pid : 0);
        });
  }
}

// Any local user can write to a TCP port; on a unix socket the kernel says who it is.
bool Answer::is_trusted(const net::PeerCredentials& peer) const {
  return peer.is_local ? evidence_uid_ >= 0 && peer.uid == evidence_uid_ : trusts_tcp_;
}

// What the admin's panic says, as long as it says so, else the configuration.
void Answer::set_mode() {
  const bool is_panic = learner_.feedback().now().wall < panic_.until;
  const auto mode = is_panic ? static_cast<model::RowMode>(panic_.mode) : configured_mode_;
  decider_.set_mode(mode);
  mails_.set_mode(mode);
}

void Answer::connect_peer(net::Message message) {
  if (message.descriptors.size() != 1 || message.payload.size() != 1) return;
  switch (static_cast<wire::PeerRole>(message.payload.front())) {
    case wire::PeerRole::Ingest:
      report_channels_.connect_ingest(std::move(message.descriptors.front()));
      break;
    case wire::PeerRole::Net:
      report_channels_.connect_net(std::move(message.descriptors.front()));
      break;
    case wire::PeerRole::Store:
      connect_store(std::move(message));
      break;
    case wire::PeerRole::Http:
      pulse_.connect(std::move(message.descriptors.front()));
      break;
    case wire::PeerRole::Answer:
      break;
  }
}

void Answer::connect_store(net::Message message) {
  store_ = std::make_unique<net::Channel>(
      loop_, std::move(message.descriptors.front()),
      [this](net::Message from_store) { on_store(std::move(from_store)); },
      [this] { store_.reset(); });
  reported_ = {};
  learner_.on_store_connected();
  // At once: until `store` has heard of this role, `tlspolicyctl status` says that all is not well.
  report();
}

void Answer::on_store(net::Message message) {
  switch (static_cast<StoreToAnswer>(message.type)) {
    case StoreToAnswer::Image:
      take_new_image(std::move(message));
      break;
    case StoreToAnswer::NoPolicy:
      is_policy_known_ = true;
      serve_when_ready();
      break;
    case StoreToAnswer::Told:
      is_told_ = true;
      serve_when_ready();
      break;
    case StoreToAnswer::StateBase:
      if (message.descriptors.size() != 1) break;
      learner_.take_base(jobs::Feedback::Base::Committed, std::move(message.descriptors.front()));
      break;
    case StoreToAnswer::Committed:
      learner_.on_committed(message.payload);
      break;
    case StoreToAnswer::Reset:
      learner_.on_reset(message.payload);
      break;
    case StoreToAnswer::Mode:
      if (const auto mode = wire::parse_mode(message.payload)) panic_ = *mode;
      set_mode();
      break;
    case StoreToAnswer::Follow:
      learner_.on_follow(message.payload);
      break;
    case StoreToAnswer::InboundKnown:
      if (message.descriptors.size() != 1) break;
      mails_.take_known(std::move(message.descriptors.front()));
      break;
    case StoreToAnswer::OwnFault:
      learner_.on_own_fault(message.payload);
      break;
  }
}

// What the parent kept: the last known good file, or what an earlier `answer` had in force.
void Answer::take_first_image(net::Message message) {
  if (message.descriptors.size() != 1) return;
  auto image = image::Image::load(message.descriptors.front().get(), image::Image::Checksum::Now);
  if (!image) {
    base::log_error("the last known good policy is of no use: {}", image.error());
    parent_.send(ToParent::Refused);
    return;
  }
  // What an admin made stricter since it was saved must not be answered as it was before. From an
  // earlier `answer` the parent has what it knew of destinations as well.
  is_policy_known_ = is_told_ = message.payload != wire::kSavedImage;
  mails_.install(**image);
  decider_.install(std::move(*image));
}

void Answer::take_new_image(net::Message message) {
  if (message.descriptors.size() != 1) return;
  intake_.take(std::move(message.descriptors.front()),
               serving_ ? ImageIntake::Pace::InSlices : ImageIntake::Pace::AtOnce);
}

void Answer::refuse_new_image(std::string_view why) {
  base::log_error("a new policy is of no use: {}", why);
  tell_store(AnswerToStore::Unusable, why);
}

void Answer::install_new_image(std::unique_ptr<image::Image> image, base::UniqueFd fd) {
  const auto digest = image->stamp().digest;
  mails_.install(*image);
  decider_.install(std::move(image));
  learner_.feedback().rules_changed();
  untold_image_ = std::move(fd);
  hand_over_image();
  tell_store(AnswerToStore::InForce, wire::to_payload(digest));
  report();
  pulse_.tell();
  is_policy_known_ = true;
  serve_when_ready();
}

void Answer::go() {
  enter_sandbox(Role::Answer);
  complete_ = true;
  grace_.start(kFirstPolicyGrace);
  serve_when_ready();
  stats_.start(kStatsEvery);
  learner_.start();
}

void Answer::serve_when_ready() {
  if (complete_ && is_policy_known_ && is_told_ && !learner_.is_reading()) serve();
}

void Answer::serve() {
  if (std::exchange(serving_, true)) return;
  grace_.stop();
  server_.start();
  report();
  pulse_.tell();
  parent_.send(ToParent::Ready);
}

// For the next `answer`. A parent that stands still, its queue full, is told later.
void Answer::hand_over_image() {
  if (untold_image_ && parent_.send(ToParent::Image, {}, std::array{untold_image_.get()})) {
    untold_image_.reset();
  }
}

void Answer::report() {
  set_mode();
  hand_over_image();
  mails_.flush();
  wire::AnswerStats stats;
  stats.pid = ::getpid();
  stats.digest = digest_in_force();
  stats.connections = server_.connections();
  add_counters(stats, tlsmap_counters_);
  stats.malformed += mails_.counters().malformed;
  stats.stalled = server_.stalled();
  stats.policyd = mails_.counters().answers;
  learner_.describe(stats);
  stats.dropped += mails_.dropped();
  stats.latency = latency_;
  stats.ingest = report_channels_.ingest_stats();
  if (!(stats == reported_) && tell_store(AnswerToStore::Stats, wire::to_payload(stats))) {
    reported_ = stats;
  }
  stats_.start(kStatsEvery);
}

}  // namespace

int run_answer() {
  Answer().run();
  return 0;
}

}  // namespace app
