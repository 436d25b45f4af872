// Role `store`: reads policy.db, compiles it, keeps the last known good copy on disk, and answers
// the admin. Its death is not seen by Postfix.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "src/app/config.h"
#include "src/app/control.h"
#include "src/app/folder_fence.h"
#include "src/app/following.h"
#include "src/app/overview_desk.h"
#include "src/app/probe_keeper.h"
#include "src/app/role.h"
#include "src/app/saved_policy.h"
#include "src/app/state_keeper.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/jobs/compare_images.h"
#include "src/jobs/publisher.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/net/server.h"
#include "src/wire/role_message.h"
#include "tlsmap/policy_text.h"

namespace app {
namespace {

using wire::AnswerToStore;
using wire::FromParent;
using wire::StoreToAnswer;
using wire::ToParent;

// Half of what an edit may take to be live is left for reading and compiling it.
constexpr std::chrono::milliseconds kPollEvery{100};
constexpr std::chrono::milliseconds kStopDeadline{1000};
constexpr std::size_t kMostAdmins = 32;
// Beside the answering role on a busy host, compiling a million rows must not win.
constexpr int kNiceness = 5;
// As a power of two: far more than one process numbers in a second of its life.
constexpr unsigned kNumbersPerSecond = 24;

class Store final : public jobs::Publisher::Outlet, public ControlDesk, public StateKeeper::Outlet {
 public:
  Store();
  void run() { loop_.run(); }

  void publish(int image_fd) override;
  void announce_no_policy() override;
  Report report() override;
  std::vector<std::string> troubles(const Report& report) override {
    return overview_.troubles(report);
  }
  jobs::Publisher::Accepted accept() override;
  StateKeeper& keeper() override { return keeper_; }
  ProbeKeeper& probes() override { return probes_; }
  const std::string& overview() override { return overview_.json(); }
  Traced trace(const std::string& destination, std::uint64_t after) override;
  void note_proposal(const wire::Proposal& proposal) override { probes_.note_proposal(proposal); }
  void note_count(const wire::CountRecord& count) override { probes_.note_count(count); }

  bool tell_answer(StoreToAnswer type, std::string_view payload,
                   std::span<const int> fds) override {
    return answer_ && answer_->send(type, payload, fds);
  }
  bool tell_parent(ToParent type, std::string_view payload, std::span<const int> fds) override {
    return parent_.send(type, payload, fds);
  }

 private:
  void on_parent(net::Message message);
  void on_answer(const net::Message& message);
  void configure(std::string_view text);
  void connect_peer(net::Message message);
  void connect_answer(net::Message message);
  void go();
  void close_sandbox();
  void poll();
  [[nodiscard]] bool is_answering_ours() const;  // the policy published last
  void save_image();
  bool confirm_saved_policy();
  void tell_status();
  void tell_followed();
  Report describe();
  base::SystemClock clock_;
  net::Loop loop_;
  Config config_;
  std::unique_ptr<store::PolicySource> source_;
  std::unique_ptr<jobs::Publisher> publisher_;
  base::UniqueFd first_image_;
  std::uint64_t answering_digest_ = 0;  // of the policy that the answering role has in force
  SavedPolicy saved_;
  std::string told_status_;
  bool serving_ = false;
  bool owes_image_ = false;  // the answering role has not taken the last image yet
  std::optional<wire::AnswerStats> answer_stats_;
  FolderFence fence_;
  Following following_;
  StateKeeper keeper_;
  ProbeKeeper probes_;
  OverviewDesk overview_;
  net::Server control_;
  std::unique_ptr<net::Channel> answer_;
  net::Channel parent_;
  net::Timer poll_;
};

Store::Store()
    : fence_(
          loop_,
          [this] {
            base::log_warning("the folder of policy_db, state_db or image_file is another one now");
            loop_.stop();
          }),
      following_(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count())
                 << kNumbersPerSecond),
      keeper_(loop_, clock_, *this),
      probes_(
          loop_, clock_, keeper_, [this] { return publisher_ ? publisher_->image() : nullptr; },
          [this](ToParent type, std::string_view payload) { return parent_.send(type, payload); },
          [this](StoreToAnswer type, std::string_view payload) {
            return tell_answer(type, payload, {});
          }),
      overview_(
          loop_, clock_, keeper_, [this] { return publisher_ ? publisher_->image() : nullptr; },
          [this] { return describe(); }),
      control_(loop_, clock_, {.connections = kMostAdmins, .stall = std::chrono::seconds{10}}),
      parent_(
          loop_, base::UniqueFd(kParentChannel),
          [this](net::Message message) { on_parent(std::move(message)); },
          [this] { loop_.stop(); }),
      poll_(loop_, [this] { poll(); }) {}

void Store::on_parent(net::Message message) {
  switch (static_cast<FromParent>(message.type)) {
    case FromParent::Config:
      configure(message.payload);
      break;
    case FromParent::Listeners:
      for (base::UniqueFd& listener : message.descriptors) {
        control_.add_listener(std::move(listener), [this](const net::PeerCredentials&) {
          return std::make_unique<ControlSession>(*this);
        });
      }
      break;
    case FromParent::Peer:
      connect_peer(std::move(message));
      break;
    case FromParent::Image:
      if (message.descriptors.size() == 1) first_image_ = std::move(message.descriptors.front());
      break;
    case FromParent::Go:
      go();
      break;
    case FromParent::Stop:
      control_.stop(kStopDeadline, [this] {
        probes_.finish();
        keeper_.finish();
        if (is_answering_ours()) saved_.finish(publisher_->image_fd(), answering_digest_, *source_);
        loop_.stop();
      });
      break;
    case FromParent::Ping:
      parent_.send(ToParent::Pong);
      break;
    case FromParent::Roles:
      overview_.take_roles(message.payload);
      break;
    case FromParent::StateBase:
    case FromParent::EvidenceUid:
      break;
  }
}

void Store::configure(std::string_view text) {
  ParsedConfig parsed = parse_config(text, "configuration");
  if (!parsed.errors.empty()) return;  // the parent has refused it already
  base::set_log_level(parsed.config.log_level);
  // Another store is started for other files: the sandbox of this one is closed around its own.
  const bool is_other_file = parsed.config.policy_db != config_.policy_db ||
                             parsed.config.image_file != config_.image_file;
  if (serving_ && is_other_file) return;
  config_ = std::move(parsed.config);
  if (serving_) return;
  saved_.set_file(config_.image_file);
  source_ = std::make_unique<store::PolicySource>(config_.policy_db, tlsmap::find_policy_fault);
  auto look = [this](base::sys_seconds now) { return source_->poll(now); };
  publisher_ = std::make_unique<jobs::Publisher>(look, *this);
}

void Store::connect_peer(net::Message message) {
  if (message.descriptors.size() != 1 || message.payload.size() != 1) return;
  switch (static_cast<wire::PeerRole>(message.payload.front())) {
    case wire::PeerRole::Net:
      probes_.connect(std::move(message.descriptors.front()));
      break;
    case wire::PeerRole::Http:
      overview_.connect(std::move(message.descriptors.front()));
      break;
    case wire::PeerRole::Answer:
      connect_answer(std::move(message));
      break;
    case wire::PeerRole::Store:
    case wire::PeerRole::Ingest:
      break;
  }
}

void Store::connect_answer(net::Message message) {
  answer_ = std::make_unique<net::Channel>(
      loop_, std::move(message.descriptors.front()),
      [this](const net::Message& from_answer) { on_answer(from_answer); },
      [this] {
        answer_.reset();
        answer_stats_.reset();
      });
  if (publisher_) publisher_->publish_again();
  keeper_.on_answer_connected();
  if (serving_) tell_answer(StoreToAnswer::Told, {}, {});
  following_.forget();
}

void Store::on_answer(const net::Message& message) {
  switch (static_cast<AnswerToStore>(message.type)) {
    case AnswerToStore::InForce:
      if (const auto digest = wire::parse_u64(message.payload)) {
        answering_digest_ = *digest;
        save_image();
      }
      break;
    case AnswerToStore::Stats:
      if (const auto stats = wire::parse_answer_stats(message.payload)) answer_stats_ = *stats;
      break;
    case AnswerToStore::Unusable:
      base::log_error("the answering role refuses the policy: {}",
                      base::printable(message.payload));
      break;
    case AnswerToStore::Proposal:
      keeper_.on_proposal(message.payload);
      break;
    case AnswerToStore::Counts:
      keeper_.on_counts(message.payload);
      break;
    case AnswerToStore::Observed:
      keeper_.on_observed(message.payload);
      break;
    case AnswerToStore::Inbound:
    case AnswerToStore::InboundCounts:
    case AnswerToStore::InboundLearnt:
    case AnswerToStore::Submissions:
      keeper_.inbound().take(static_cast<AnswerToStore>(message.type), message.payload);
      break;
    case AnswerToStore::Clock:
      keeper_.on_clock(message.payload);
      break;
    case AnswerToStore::Followed:
      if (auto exchange = wire::parse_followed(message.payload)) {
        following_.add(std::move(*exchange));
      }
      break;
  }
}

void Store::go() {
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  close_sandbox();
  if (first_image_) publisher_->adopt(std::move(first_image_));
  // Postfix waits for the policy: it is read before state.db, which a slow disk takes seconds to
  // make, and after that where the saved one is known to be right, since a million rows take long.
  if (!confirm_saved_policy()) poll();
  keeper_.open(config_.state_db);
  tell_answer(StoreToAnswer::Told, {}, {});
  serving_ = true;
  control_.start();
  poll();
  // Not before: where the policy itself is what ends this process, the next one waits.
  parent_.send(ToParent::Ready);
}

void Store::close_sandbox() {
  const std::string& file = config_.state_db;
  // sqlite.org/tempfiles.html 5: where its temporary files go; else the first that exists of
  // others.
  ::setenv("SQLITE_TMPDIR", file.substr(0, file.rfind('/') + 1).c_str(), 1);
  fence_.close(Role::Store, {{file, config_.policy_db, config_.image_file}, {}},
               {{"/dev/urandom", Way::For::Reading}});  // SQLite's
}

void Store::poll() {
  publisher_->poll(clock_.now());
  if (owes_image_) publish(publisher_->image_fd());
  save_image();
  saved_.save_mark(*source_);
  tell_status();
  if (following_.drop_idle(clock_.steady())) tell_followed();
  poll_.start(kPollEvery);
}

void Store::publish(int image_fd) {
  probes_.policy_changed();
  owes_image_ = !tell_answer(StoreToAnswer::Image, {}, {&image_fd, 1});
}

void Store::announce_no_policy() {
  tell_answer(StoreToAnswer::NoPolicy, {}, {});
}

bool Store::is_answering_ours() const {
  if (!publisher_) return false;
  const auto& in_force = publisher_->status().in_force;
  return in_force && in_force->digest == answering_digest_;
}

void Store::save_image() {
  if (!is_answering_ours()) return;
  saved_.follow(publisher_->image_fd(), answering_digest_, clock_.steady());
}

// The answering role waits for word whether the saved policy is still that of policy.db. Where not
// a byte was written since, nothing need be compiled for that.
bool Store::confirm_saved_policy() {
  const auto& adopted = publisher_->status().in_force;
  if (!adopted || !saved_.is_current(*source_, adopted->digest)) return false;
  announce_no_policy();
  return true;
}

void Store::tell_status() {
  const auto& status = publisher_->status();
  const std::string line = status.code.empty() ? fmt::format("policy: {}", status.text)
                                               : fmt::format("{}: {}", status.code, status.text);
  if (line == told_status_) return;
  if (parent_.send(ToParent::Status, line)) told_status_ = line;
}

ControlDesk::Report Store::report() {
  // What was edited a moment ago is seen before it is reported on.
  publisher_->poll(clock_.now());
  return describe();
}

ControlDesk::Report Store::describe() {
  Report report;
  report.mode = model::to_word(config_.mode);
  report.policy_db = config_.policy_db;
  report.publisher = &publisher_->status();
  report.answer = answer_stats_;
  report.net = probes_.stats();
  report.dropped = keeper_.dropped() + probes_.dropped();
  if (!saved_.alarm().empty()) report.alarms.push_back(saved_.alarm());
  if (!keeper_.alarm().empty()) report.alarms.push_back(keeper_.alarm());
  if (auto alarm = keeper_.clock_alarm(); !alarm.empty()) {
    report.alarms.push_back(std::move(alarm));
  }
  if (!answer_stats_) {
    report.alarms.emplace_back(
        "The role that answers Postfix has not reported; see the daemon's log.");
  }
  return report;
}

// An admin asks again and again for what came since; `answer` is told whom to watch, and that
// nobody is watched any more when the questions stop.
ControlDesk::Traced Store::trace(const std::string& destination, std::uint64_t after) {
  switch (following_.watch(destination, clock_.steady())) {
    case Following::Watch::New:
      tell_followed();
      break;
    case Following::Watch::Known:
      break;
    case Following::Watch::Full:
      return std::nullopt;
  }
  return following_.since(destination, after);
}

void Store::tell_followed() {
  tell_answer(StoreToAnswer::Follow, wire::to_payload(following_.watched()), {});
}

jobs::Publisher::Accepted Store::accept() {
  auto accepted = publisher_->accept(clock_.now());
  if (accepted.published) {
    keeper_.record(model::DecisionKind::Accept, jobs::describe_taken(accepted.differences));
  }
  return accepted;
}

}  // namespace

int run_store() {
  Store().run();
  return 0;
}

}  // namespace app
