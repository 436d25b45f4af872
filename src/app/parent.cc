#include "src/app/parent.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <utility>

#include "src/app/alarm_outlets.h"
#include "src/app/child.h"
#include "src/app/evidence_user.h"
#include "src/app/kept_policy.h"
#include "src/app/reload.h"
#include "src/app/role.h"
#include "src/app/role_rights.h"
#include "src/app/role_slot.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/role_message.h"

namespace app {
namespace {

using wire::FromParent;
constexpr std::chrono::seconds kStopDeadline{5};
constexpr std::chrono::seconds kReloadAtMostEvery{1};
constexpr std::chrono::seconds kReaderGrace{1};
// So long `store` may take to open its files before the service is called ready without it: Postfix
// may be waiting for that, and must not wait for a disk that hangs.
constexpr std::chrono::seconds kStoreGrace{5};

class Parent {
 public:
  Parent(ParentSetup setup, ServiceManager& manager);
  int run();

 private:
  RoleSlot& slot(Role role) { return slots_.at(static_cast<std::size_t>(role)); }
  void start(Role role);
  void tell_config(RoleSlot& slot);
  void tell_roles();
  void connect_roles(Role started);
  [[nodiscard]] bool is_wanted(Role role) const;
  void on_message(RoleSlot& slot, net::Message message);
  void on_served();
  void become_ready();
  void reap_children();
  void on_death(RoleSlot& slot, int status);
  void ask_for_reload();
  void reload();
  void put_in_force(Reloaded reloaded);
  void stop();
  void stop_next();
  void renew(Role role);
  void watch();
  void look_at_roles();

  ParentSetup setup_;
  ServiceManager& manager_;
  base::SystemClock clock_;
  net::Loop loop_;
  KeptPolicy kept_;
  AlarmOutlets alarms_;
  EvidenceUser evidence_user_;
  std::string status_ = "starting";
  const bool reads_logs_;
  bool is_begun_ = false;  // each role was started once
  bool ready_ = false;
  bool stopping_ = false;
  bool reload_wanted_ = false;
  std::array<RoleSlot, 5> slots_{RoleSlot(Role::Answer), RoleSlot(Role::Store),
                                 RoleSlot(Role::Ingest), RoleSlot(Role::Net), RoleSlot(Role::Http)};
  std::vector<std::unique_ptr<net::SignalWatch>> signals_;
  net::Timer reload_pause_;
  net::Timer watchdog_;
  net::Timer look_;
  net::Timer store_grace_;
  net::Timer reader_grace_;
  net::Timer stop_deadline_;
};

Parent::Parent(ParentSetup setup, ServiceManager& manager)
    : setup_(std::move(setup)),
      manager_(manager),
      alarms_(loop_, setup_.parsed.config),
      reads_logs_(!setup_.parsed.config.maillog.empty() ||
                  !setup_.parsed.config.tlsrpt_socket.empty()),
      reload_pause_(loop_,
                    [this] {
                      if (reload_wanted_) reload();
                    }),
      watchdog_(loop_, [this] { watch(); }),
      look_(loop_, [this] { look_at_roles(); }),
      store_grace_(loop_, [this] { become_ready(); }),
      reader_grace_(loop_, [this] { stop_next(); }),
      stop_deadline_(loop_, [this] {
        for (const RoleSlot& slot : slots_) {
          if (slot.pid > 0) ::kill(slot.pid, SIGKILL);
        }
      }) {
  const auto on = [this](int signal, std::function<void()> act) {
    signals_.push_back(std::make_unique<net::SignalWatch>(loop_, signal, std::move(act)));
  };
  on(SIGCHLD, [this] { reap_children(); });
  on(SIGHUP, [this] { ask_for_reload(); });
  on(SIGTERM, [this] { stop(); });
  on(SIGINT, [this] { stop(); });
  for (RoleSlot& slot : slots_) {
    slot.restart = std::make_unique<net::Timer>(loop_, [this, role = slot.role] { start(role); });
  }
}

int Parent::run() {
  kept_.load(setup_.parsed.config.image_file);
  for (const RoleSlot& slot : slots_) {
    if (is_wanted(slot.role)) start(slot.role);
  }
  is_begun_ = true;
  tell_roles();
  if (manager_.watchdog_period().count() > 0) watch();
  look_at_roles();
  loop_.run();
  alarms_.flush();
  for (const BoundListener& listener : setup_.listeners) {
    if (!listener.own_file.empty()) ::unlink(listener.own_file.c_str());
  }
  return 0;
}

// What `ingest` reads is as configured at the start: listeners don't change either.
bool Parent::is_wanted(Role role) const {
  const Config& config = setup_.parsed.config;
  if (role == Role::Ingest) return reads_logs_;
  if (role == Role::Http) return has_listener(role, setup_.listeners);
  return role != Role::Net || config.probe_watch;
}

void Parent::start(Role role) {
  RoleSlot& starting = slot(role);
  auto ends = net::make_channel_ends();  // ours, and the role's
  starting.pid = ends.second ? spawn_role(role, ends.second.get()) : -1;
  if (starting.pid < 0) {
    base::log_error("role {} cannot be started: no process or descriptor to be had", to_word(role));
    starting.restart->start(starting.policy.on_death(false) + std::chrono::seconds{1});
    return;
  }
  starting.served = false;
  starting.is_stopping = false;
  starting.is_behind = false;
  starting.heartbeat = {};
  starting.channel = std::make_unique<net::Channel>(
      loop_, std::move(ends.first),
      [this, role](net::Message message) { on_message(slot(role), std::move(message)); },
      [this, role] { slot(role).channel.reset(); });
  tell_config(starting);
  send_listeners(starting, setup_.listeners);
  kept_.hand_over(starting);
  connect_roles(role);
  starting.send(FromParent::Go);
  tell_roles();
}

// What is configured, and that it is to end where that asks for another one. Where its queue has no
// room it is told again, until it takes all of it.
void Parent::tell_config(RoleSlot& slot) {
  if (!slot.channel) return;  // whoever is started next gets it
  const bool trusts = slot.role == Role::Answer || slot.role == Role::Ingest;
  const bool is_told =
      slot.send(FromParent::Config, setup_.config_text) &&
      (!trusts || slot.send(FromParent::EvidenceUid, wire::uid_payload(evidence_user_.find(
                                                         setup_.parsed.config.evidence_uid)))) &&
      (!slot.is_stopping || slot.send(FromParent::Stop));
  if (!is_told && !slot.is_behind) {
    base::log_warning(
        "role {} takes no orders, its queue is full: it goes on with the old configuration until "
        "it does, or is started again",
        to_word(slot.role));
  } else if (is_told && slot.is_behind) {
    base::log_info("role {} has the new configuration now", to_word(slot.role));
  }
  slot.is_behind = !is_told;
}

// Not before all were started: one whose turn is still to come is not one that fell over.
void Parent::tell_roles() {
  if (!is_begun_) return;
  std::string roles;
  for (const RoleSlot& each : slots_) {
    if (is_wanted(each.role)) append_role(roles, each);
  }
  slot(Role::Store).send(FromParent::Roles, roles);
}

// `ingest` knows nothing of `store`, `net` and `http`, which know nothing of each other.
void Parent::connect_roles(Role started) {
  static constexpr std::array kPairs{
      std::pair(Role::Answer, Role::Store), std::pair(Role::Answer, Role::Ingest),
      std::pair(Role::Answer, Role::Net),   std::pair(Role::Store, Role::Net),
      std::pair(Role::Answer, Role::Http),  std::pair(Role::Store, Role::Http)};
  for (const auto& [one, other] : kPairs) {
    if (is_wanted(other) && (started == one || started == other)) connect(slot(one), slot(other));
  }
}

void Parent::on_message(RoleSlot& slot, net::Message message) {
  const auto type = static_cast<wire::ToParent>(message.type);
  if (!may_tell(slot.role, type)) return;
  switch (type) {
    case wire::ToParent::Ready:
      slot.served = true;
      on_served();
      break;
    case wire::ToParent::Pong:
      slot.last_pong = clock_.steady();
      note_answer(slot);
      break;
    case wire::ToParent::Status:
      status_ = base::printable(message.payload);
      manager_.status(status_);
      break;
    case wire::ToParent::Image:
      kept_.take_image(std::move(message));
      break;
    case wire::ToParent::Refused:
      kept_.forget_image();
      break;
    case wire::ToParent::StateBase:
      kept_.take_state_base(std::move(message));
      break;
    case wire::ToParent::Alarm:
      if (const auto alarm = wire::parse_alarm(message.payload)) {
        alarms_.tell(*alarm);
      }
      break;
  }
}

// Postfix is answered, and an admin's tools find state.db made.
void Parent::on_served() {
  if (ready_ || !slot(Role::Answer).served) return;
  if (slot(Role::Store).served) {
    become_ready();
  } else if (!store_grace_.is_running()) {
    store_grace_.start(kStoreGrace);
  }
}

void Parent::become_ready() {
  if (!slot(Role::Answer).served || std::exchange(ready_, true)) return;
  manager_.ready(status_);
}

void Parent::reap_children() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
       pid = ::waitpid(-1, &status, WNOHANG)) {
    alarms_.on_exit(pid, status);
    for (RoleSlot& slot : slots_) {
      if (slot.pid == pid) on_death(slot, status);
    }
  }
}

void Parent::on_death(RoleSlot& dead, int status) {
  dead.pid = 0;
  // What it had put in force last is handed to the next one, or Postfix would hear the one before.
  if (dead.channel) dead.channel->drain();
  dead.channel.reset();
  if (stopping_) {
    stop_next();
    return;
  }
  if (dead.is_stopping) {  // by a reload
    if (is_wanted(dead.role)) start(dead.role);
    return;
  }
  ++dead.restarts;
  tell_roles();
  const auto wait = dead.policy.on_death(dead.served);
  base::log_error("role {} {}; it is started again {}", to_word(dead.role), describe_end(status),
                  wait.count() == 0 ? "at once" : fmt::format("in {} s", wait.count()));
  if (wait.count() == 0) {
    start(dead.role);
  } else {
    dead.restart->start(wait);
  }
}

// At most one reload a second, however many are asked for; the last one asked for is done.
void Parent::ask_for_reload() {
  reload_wanted_ = true;
  if (!reload_pause_.is_running()) reload();
}

void Parent::reload() {
  reload_wanted_ = false;
  reload_pause_.start(kReloadAtMostEvery);
  manager_.reloading();
  const auto text = read_config_file(setup_.config_file);
  Reloaded reloaded;
  if (text) {
    reloaded = reload_config(setup_.parsed, *text, setup_.config_file);
  } else {
    reloaded.parsed.errors.push_back(text.error());
  }
  for (const std::string& error : reloaded.parsed.errors) base::log_error("{}", error);
  if (reloaded.parsed.errors.empty()) {
    put_in_force(std::move(reloaded));
  } else {
    base::log_error("the configuration is not reloaded: the old one stays in force");
  }
  manager_.ready(status_);
}

void Parent::put_in_force(Reloaded reloaded) {
  for (const std::string& name : reloaded.waiting) {
    base::log_warning("{}: {} has changed; that takes a restart", setup_.config_file, name);
  }
  const Config& before = setup_.parsed.config;
  const Config& after = reloaded.parsed.config;
  const bool is_other_file =
      after.policy_db != before.policy_db || after.image_file != before.image_file;
  setup_.parsed = std::move(reloaded.parsed);
  setup_.config_text = std::move(reloaded.text);
  base::set_log_level(setup_.parsed.config.log_level);
  renew(Role::Net);
  if (is_other_file) renew(Role::Store);
  for (RoleSlot& slot : slots_) tell_config(slot);
  base::log_info("configuration reloaded from {}", setup_.config_file);
}

// Its sandbox is closed around the files that it had; another one opens those of now.
void Parent::renew(Role role) {
  RoleSlot& renewed = slot(role);
  if (renewed.pid > 0) {
    renewed.is_stopping = true;  // which tell_config() says
  } else if (!is_wanted(role)) {
    renewed.restart->stop();
  } else if (!renewed.restart->is_running()) {
    start(role);
  }
}

void Parent::stop() {
  if (std::exchange(stopping_, true)) return;
  manager_.stopping();
  base::log_info("stopping: open requests are finished first");
  for (RoleSlot& slot : slots_) slot.restart->stop();
  stop_deadline_.start(kStopDeadline);
  // Postfix's answers must not wait for a log file on a disk that hangs, nor for a peer.
  reader_grace_.start(kReaderGrace);
  stop_next();
}

// Those that report first, `store` last: what each had to say at its end still arrives.
void Parent::stop_next() {
  for (const Role role : {Role::Http, Role::Ingest, Role::Net, Role::Answer, Role::Store}) {
    const bool is_waited_for =
        role == Role::Answer || role == Role::Store || reader_grace_.is_running();
    if (slot(role).pid <= 0 || !is_waited_for) continue;
    if (!std::exchange(slot(role).is_stopping, true)) slot(role).send(FromParent::Stop);
    return;
  }
  const auto has_ended = [](const RoleSlot& slot) { return slot.pid <= 0; };
  if (std::ranges::all_of(slots_, has_ended)) loop_.stop();
}

// Says that all is well only while the loop that answers Postfix turns.
void Parent::watch() {
  const auto period = manager_.watchdog_period();
  RoleSlot& answering = slot(Role::Answer);
  if (clock_.steady() - answering.last_pong < period) manager_.watchdog();
  answering.send(FromParent::Ping);
  watchdog_.start(period / 4);
}

void Parent::look_at_roles() {
  for (RoleSlot& slot : slots_) {
    if (!slot.channel) continue;
    note_look(slot);
    if (slot.is_behind) tell_config(slot);
  }
  look_.start(Heartbeat::kLookEvery);
}

}  // namespace

int run_parent(ParentSetup setup, ServiceManager& manager) {
  return Parent(std::move(setup), manager).run();
}

}  // namespace app
