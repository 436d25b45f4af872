// Role `ingest`: reads what others wrote of deliveries (the mail log, TLSRPT datagrams) and reports
// it to `answer` as evidence. Decides nothing, holds no policy, and is held up by nobody.
#include <unistd.h>

#include <ctime>
#include <memory>
#include <utility>

#include "src/app/config.h"
#include "src/app/evidence_queue.h"
#include "src/app/folder_fence.h"
#include "src/app/mail_log.h"
#include "src/app/role.h"
#include "src/app/tlsrpt_intake.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/role_message.h"

namespace app {
namespace {

using wire::FromParent;
using wire::IngestToAnswer;
using wire::ToParent;

constexpr std::chrono::milliseconds kPollEvery{200};
// While `answer` takes no more.
constexpr std::chrono::milliseconds kTryAgainAfter{2};
constexpr std::chrono::seconds kStatsEvery{1};

class Ingest {
 public:
  Ingest();
  void run() { loop_.run(); }

 private:
  void on_parent(net::Message message);
  void configure(std::string_view text);
  void take_listeners(net::Message message);
  void connect_answer(net::Message message);
  void go();
  void close_sandbox();
  void read_log();
  void flush();
  void save();
  void tell_stats();
  void stop();

  base::SystemClock clock_;
  net::Loop loop_;
  Config config_;
  FolderFence fence_;
  EvidenceQueue queue_;
  wire::IngestStats stats_;
  wire::IngestStats told_;
  std::int64_t evidence_uid_ = -1;
  base::UniqueFd tlsrpt_socket_;
  std::unique_ptr<MailLog> log_;
  std::unique_ptr<TlsrptIntake> tlsrpt_;
  std::unique_ptr<net::Channel> answer_;
  net::Channel parent_;
  net::Timer reader_;
  net::Timer flusher_;
  net::Timer saver_;
  net::Timer stats_timer_;
};

Ingest::Ingest()
    : fence_(loop_,
             [this] {
               base::log_warning("the folder of maillog or state_db is another one now");
               loop_.stop();
             }),
      parent_(
          loop_, base::UniqueFd(kParentChannel),
          [this](net::Message message) { on_parent(std::move(message)); },
          [this] { loop_.stop(); }),
      reader_(loop_, [this] { read_log(); }),
      flusher_(loop_, [this] { flush(); }),
      saver_(loop_, [this] { save(); }),
      stats_timer_(loop_, [this] { tell_stats(); }) {
  stats_.pid = static_cast<std::uint64_t>(::getpid());
}

void Ingest::on_parent(net::Message message) {
  switch (static_cast<FromParent>(message.type)) {
    case FromParent::Config:
      configure(message.payload);
      break;
    case FromParent::Listeners:
      take_listeners(std::move(message));
      break;
    case FromParent::Peer:
      connect_answer(std::move(message));
      break;
    case FromParent::EvidenceUid:
      evidence_uid_ = wire::parse_uid(message.payload);
      if (tlsrpt_) tlsrpt_->set_trusted_uid(evidence_uid_);
      if (log_) log_->set_trusted_uid(evidence_uid_);
      break;
    case FromParent::Go:
      go();
      break;
    case FromParent::Stop:
      stop();
      break;
    case FromParent::Ping:
      parent_.send(ToParent::Pong);
      break;
    case FromParent::Image:
    case FromParent::StateBase:
    case FromParent::Roles:
      break;
  }
}

void Ingest::configure(std::string_view text) {
  ParsedConfig parsed = parse_config(text, "configuration");
  if (!parsed.errors.empty()) return;  // the parent has refused it already
  config_ = std::move(parsed.config);
  base::set_log_level(config_.log_level);
  if (log_) log_->set_trust(config_.trust_maillog);
}

void Ingest::take_listeners(net::Message message) {
  if (message.descriptors.size() == 1) tlsrpt_socket_ = std::move(message.descriptors.front());
}

void Ingest::connect_answer(net::Message message) {
  if (message.descriptors.size() != 1) return;
  answer_ = std::make_unique<net::Channel>(
      loop_, std::move(message.descriptors.front()), [](const net::Message&) {},
      [this] { answer_.reset(); });
  told_ = {};
}

void Ingest::go() {
  if (tlsrpt_socket_) {
    tlsrpt_ =
        std::make_unique<TlsrptIntake>(loop_, clock_, std::move(tlsrpt_socket_), config_.tlsrpt_tee,
                                       stats_, [this](const wire::ReportedEvidence& reported) {
                                         queue_.put(reported);
                                         // With what else this turn of the loop brings.
                                         if (!flusher_.is_running())
                                           flusher_.start(std::chrono::microseconds{0});
                                       });
    tlsrpt_->set_trusted_uid(evidence_uid_);
  }
  close_sandbox();
  if (!config_.maillog.empty()) {
    log_ = std::make_unique<MailLog>(clock_, config_.maillog, config_.state_db, queue_, stats_);
    log_->set_trust(config_.trust_maillog);
    log_->set_trusted_uid(evidence_uid_);
    log_->start();
    read_log();
    save();
  }
  tell_stats();
  parent_.send(ToParent::Ready);
}

void Ingest::close_sandbox() {
  ::tzset();  // localtime_r(3), for the stamps of log lines, would open /etc/localtime
  FolderFence::Files files{{config_.state_db}, {}};  // beside it is the position in the log
  std::vector<Way> more;
  if (config_.maillog == kJournald) {
    // What sd_journal(3) opens; from systemd 257 on it loads libraries when it needs them.
    for (const char* path : {"/var/log", "/run/log", "/etc/machine-id", "/etc/ld.so.cache",
                             "/usr/lib", "/lib", "/proc/sys/kernel/random/boot_id"}) {
      more.push_back({path, Way::For::Reading});
    }
  } else if (!config_.maillog.empty()) {
    files.read.push_back(config_.maillog);
  }
  fence_.close(Role::Ingest, files, std::move(more));
}

void Ingest::read_log() {
  const bool is_more = queue_.is_roomy() && log_->read_some();
  flush();
  reader_.start(is_more
                    ? std::chrono::microseconds{0}
                    : std::chrono::microseconds(queue_.is_roomy() ? kPollEvery : kTryAgainAfter));
}

void Ingest::flush() {
  queue_.flush(
      [this](std::string_view payload) {
        return answer_ && answer_->send(IngestToAnswer::Evidence, payload);
      },
      clock_.steady());
  stats_.evidence = queue_.sent();
  stats_.dropped = queue_.dropped();
  if (!queue_.is_empty()) flusher_.start(kTryAgainAfter);
}

void Ingest::save() {
  log_->save();
  saver_.start(kPollEvery);
}

void Ingest::tell_stats() {
  if (!(stats_ == told_) && answer_ &&
      answer_->send(IngestToAnswer::Stats, wire::to_payload(stats_))) {
    told_ = stats_;
  }
  stats_timer_.start(kStatsEvery);
}

// What is read is reported; what is not is read by the next.
void Ingest::stop() {
  flush();
  if (log_) log_->save();
  loop_.stop();
}

}  // namespace

int run_ingest() {
  Ingest().run();
  return 0;
}

}  // namespace app
