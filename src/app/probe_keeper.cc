#include "src/app/probe_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/app/watch_list.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/image/sealed_file.h"
#include "src/wire/probe_record.h"

namespace app {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using wire::NetToStore;
using wire::StoreToNet;
using wire::WatchEvent;

// Mail to other destinations begins and ends, rows expire.
constexpr std::chrono::hours kListEvery{1};
// Many edits are one list.
constexpr std::chrono::seconds kListSoon{1};
// What a large list costs is spent once in so many times that time.
constexpr int kListShare = 20;
// Several checks end at once, and one commit is as dear as one of many.
constexpr milliseconds kSaveAfter{100};
constexpr std::chrono::seconds kSaveAgainAfter{2};
constexpr std::size_t kMostRecords = 2'000;
constexpr std::size_t kMostEvents = 100'000;
constexpr std::size_t kMostDelivered = 200'000;
constexpr std::size_t kEventBytes = net::kLargestMessage - 4096;
constexpr std::size_t kNotedAtOnce = 2'000;
constexpr milliseconds kNotePause{200};
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kWeek = 7 * kDay;
constexpr std::int64_t kHour = 3'600;

bool shows_tls(const wire::CountRecord& count) {
  const auto security = count.outcome.security;
  return model::is_mail(count.source) && count.is_trusted && !count.outcome.cause &&
         (security == model::Security::Encrypted || security == model::Security::Authenticated);
}

}  // namespace

ProbeKeeper::ProbeKeeper(net::Loop& loop, const base::Clock& clock, StateKeeper& states,
                         FindImage find_image, TellParent tell_parent, TellAnswer tell_answer)
    : clock_(clock),
      states_(states),
      find_image_(std::move(find_image)),
      tell_parent_(std::move(tell_parent)),
      tell_answer_(std::move(tell_answer)),
      loop_(loop),
      list_timer_(loop, [this] { send_list(); }),
      event_timer_(loop, [this] { send_events(); }),
      save_timer_(loop, [this] { save(); }),
      note_timer_(loop, [this] { note_watched(); }) {}

void ProbeKeeper::connect(base::UniqueFd channel) {
  net_ = std::make_unique<net::Channel>(
      loop_, std::move(channel), [this](const net::Message& message) { on_net(message); },
      [this] {
        net_.reset();
        stats_.reset();
      });
  list_timer_.start(std::chrono::microseconds{0});
}

void ProbeKeeper::policy_changed() {
  if (!net_) return;
  const auto pause = std::max<std::chrono::microseconds>(kListSoon, list_cost_ * kListShare);
  const auto due = clock_.steady() + pause;
  if (list_timer_.is_running() && due >= list_due_) return;
  list_due_ = due;
  list_timer_.start(pause);
}

void ProbeKeeper::send_list() {
  if (!net_) return;
  auto* db = states_.db();
  list_due_ = clock_.steady() + kListEvery;
  if (db == nullptr) return list_timer_.start(kListSoon);
  list_timer_.start(kListEvery);
  const auto begun = clock_.steady();
  const auto list = make_watch_list(find_image_(), *db, now());
  if (!list) {
    base::log_error("state.db can't say what is to be watched: {}", list.error());
    return;
  }
  std::string bytes;
  const bool is_noted = now() - noted_at_ < kDay || !to_note_.empty();
  for (const auto& record : *list) {
    wire::append_watched_record(bytes, record);
    if (!is_noted) to_note_.push_back(record.destination);
  }
  if (!is_noted) {
    noted_at_ = now();
    note_timer_.start(kNotePause);
  }
  const auto sealed = image::seal("tlspolicyd-watched", {bytes});
  const bool is_sent = sealed && net_->send(StoreToNet::Watched, {}, std::array{sealed->get()});
  if (!is_sent) list_timer_.start(kListSoon);
  list_cost_ = duration_cast<milliseconds>(clock_.steady() - begun);
}

void ProbeKeeper::note_watched() {
  auto* db = states_.db();
  if (to_note_.empty()) return;
  note_timer_.start(kSaveAgainAfter);
  if (db == nullptr) return;
  const auto count = std::min(to_note_.size(), kNotedAtOnce);
  const auto from = to_note_.end() - static_cast<std::ptrdiff_t>(count);
  const std::vector<std::string> some(from, to_note_.end());
  if (const auto refused = db->note_watched(some, now())) return states_.on_refused(*refused);
  to_note_.erase(from, to_note_.end());
  note_timer_.stop();
  if (!to_note_.empty()) note_timer_.start(kNotePause);
}

void ProbeKeeper::note_proposal(const wire::Proposal& proposal) {
  if (!proposal.state || proposal.destination.empty()) return;
  const auto& state = *proposal.state;
  const auto failed_at = last_mail_failure(state);
  // An older failure was told when it was new.
  if (failed_at != 0 && failed_at >= proposal.at - 1) {
    send_event({WatchEvent::Kind::Failed, proposal.destination, failed_at,
                find_retry_after(find_image_(), proposal.destination, now())});
  }
  if (is_away(state)) {
    send_event({WatchEvent::Kind::Downgraded, proposal.destination, proposal.at, 0});
  } else if (!proposal.decisions.empty()) {
    send_event({WatchEvent::Kind::Restored, proposal.destination, proposal.at, 0});
  }
}

// Once an hour is enough: it puts a check off until a day later.
void ProbeKeeper::note_count(const wire::CountRecord& count) {
  if (!net_ || !shows_tls(count)) return;
  const auto hour = now() / kHour;
  if (std::exchange(delivered_hour_, hour) != hour) delivered_.clear();
  if (delivered_.size() >= kMostDelivered) return;
  if (!delivered_.insert(count.destination).second) return;
  send_event({WatchEvent::Kind::Delivered, count.destination, now(), 0});
}

bool ProbeKeeper::ask_for(const std::vector<std::string>& destinations) {
  if (!net_) return false;
  for (const auto& destination : destinations) {
    send_event({WatchEvent::Kind::Asked, destination, now(), 0});
  }
  return true;
}

void ProbeKeeper::send_event(WatchEvent event) {
  if (!net_ || events_.size() >= kMostEvents) return;
  if (!model::is_deliverable(model::normalise_key(event.destination).kind)) return;
  events_.push_back(std::move(event));
  event_timer_.start(std::chrono::microseconds{0});
}

void ProbeKeeper::send_events() {
  std::string payload;
  const auto send = [&] {
    // What a full channel loses is in the next list.
    if (net_ && !net_->send(StoreToNet::Events, payload)) list_timer_.start(kListSoon);
    payload.clear();
  };
  for (const auto& event : std::exchange(events_, {})) {
    wire::append_watch_event(payload, event);
    if (payload.size() >= kEventBytes) send();
  }
  if (!payload.empty()) send();
}

void ProbeKeeper::on_net(const net::Message& message) {
  switch (static_cast<NetToStore>(message.type)) {
    case NetToStore::Checked: {
      auto payload = message.payload;
      while (auto record = wire::take_probe_record(payload)) {
        if (records_.size() < kMostRecords) {
          records_.push_back(std::move(*record));
        } else {
          ++dropped_;
        }
      }
      if (!save_timer_.is_running()) save_timer_.start(kSaveAfter);
      break;
    }
    case NetToStore::Stats:
      if (const auto stats = wire::parse_net_stats(message.payload)) stats_ = *stats;
      break;
  }
}

base::Result<void> ProbeKeeper::add_to(Batch& batch, const model::ProbeRecord& record,
                                       std::int64_t now) {
  auto* db = states_.db();
  const auto known = db->find_probe(record.destination);
  if (!known) return base::Error{known.error()};
  const auto deliveries = db->count_deliveries(record.destination, now - kWeek);
  if (!deliveries) return base::Error{deliveries.error()};
  const auto state = db->find_state({}, record.destination);
  if (!state) return base::Error{state.error()};
  const auto asked = find_asked(find_image_(), record.destination, now);
  const engine::WatchQuestion question{record, asked, *deliveries,
                                       *state ? (*state)->state.worked_at : 0, now};
  auto step = engine::watch(*known ? &(*known)->memory : nullptr, question);
  if (const auto at = engine::next_expiry_check(step.memory, record, asked);
      at && *at - now < kDay) {
    batch.wanted.push_back({WatchEvent::Kind::Asked, record.destination, *at, 0});
  }
  for (auto& alarm : step.alarms) batch.alarms.emplace_back(record.destination, std::move(alarm));
  batch.updates.push_back({record, std::move(step.memory), std::move(step.changes)});
  return {};
}

// What can't be compared with what was known holds up no other: it is tried once more behind them.
void ProbeKeeper::put_off(std::size_t at, std::string_view why) {
  auto record = std::move(records_[at]);
  records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(at));
  const bool is_last = put_off_.erase(record.destination) != 0;
  base::log_error("a check of {} can't be compared with what state.db has of it: {}; {}",
                  base::printable(record.destination, 300), why,
                  is_last ? "it is dropped, the next one says it again" : "it is tried once more");
  if (is_last) {
    ++dropped_;
    return;
  }
  put_off_.insert(record.destination);
  records_.push_back(std::move(record));
}

// Whoever is told can find it in state.db.
void ProbeKeeper::save() {
  auto* db = states_.db();
  if (records_.empty()) return;
  save_timer_.start(kSaveAgainAfter);
  if (db == nullptr) return;
  Batch batch;
  std::set<std::string_view> seen;
  std::size_t taken = 0;
  base::Result<void> added;
  // A second record of a destination is compared with what the first one leaves.
  for (; taken < records_.size() && seen.insert(records_[taken].destination).second; ++taken) {
    added = add_to(batch, records_[taken], now());
    if (!added) break;
  }
  if (!added) put_off(taken, added.error());
  if (const auto refused = db->add_probes(batch.updates, now())) {
    return states_.on_refused(*refused);
  }
  records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(taken));
  for (const auto& [destination, alarm] : batch.alarms) tell_alarm(destination, alarm);
  for (const auto& update : batch.updates) {
    put_off_.erase(update.record.destination);
    offers_.take(update.record, update.memory);
  }
  tell_own_fault();
  for (auto& event : batch.wanted) send_event(std::move(event));
  save_timer_.stop();
  if (!records_.empty()) save_timer_.start(added ? kSaveAfter : kSaveAgainAfter);
}

// Them or us?
void ProbeKeeper::tell_own_fault() {
  const auto word = offers_.look({}, now());
  if (!word) return;
  tell_answer_(wire::StoreToAnswer::OwnFault, wire::to_payload(std::uint64_t{word->is_ours}));
  if (word->is_new) tell_alarm({}, {"own-network", word->text, !word->is_ours});
}

void ProbeKeeper::tell_alarm(const std::string& destination, const engine::WatchAlarm& alarm) {
  const auto where = base::printable(destination, 300);
  const auto text = base::printable(alarm.text, 1'000);
  if (alarm.is_over) {
    base::log_info("over: {} {}: {}", alarm.what, where, text);
  } else {
    base::log_warning("{} {}: {}", alarm.what, where, text);
    ++alarms_raised_[alarm.what];
  }
  const wire::AlarmMessage message{alarm.what, destination, alarm.text, alarm.is_over};
  tell_parent_(wire::ToParent::Alarm, wire::to_payload(message));
}

}  // namespace app
