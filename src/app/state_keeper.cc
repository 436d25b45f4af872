#include "src/app/state_keeper.h"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "src/app/learner.h"
#include "src/app/panic_text.h"
#include "src/base/bytes.h"
#include "src/base/counted.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/image/sealed_file.h"

namespace app {
namespace {

constexpr std::chrono::seconds kWatchEvery{2};
// A base is made anew for the parent at most this often, and only where that is quick.
constexpr std::int64_t kBaseEvery = 5;
constexpr std::size_t kMostQueued = 100'000;
constexpr std::size_t kMostCounts = 200'000;
// Time servers step a clock back by seconds; that is no news.
constexpr std::int64_t kClockSlack = 60;
// What is acknowledged at once fits into one message.
constexpr std::size_t kMostAcknowledged = 4'000;

store::StateChange change_of(const wire::Proposal& proposal) {
  return {std::to_string(proposal.id), proposal.view, proposal.destination, proposal.state,
          proposal.decisions,          proposal.at};
}

store::EvidenceCount count_of(const wire::CountRecord& record) {
  return {record.view,    record.destination, record.hour, record.source,
          record.outcome, record.is_trusted,  record.count};
}

// What `answer` tells was asked for by whoever reaches a listener: a name may hold any byte.
std::string describe(const wire::Proposal& proposal, const model::Decision& decision) {
  constexpr std::size_t kLongest = 300;
  const std::string from(decision.from ? model::to_word(*decision.from) : "");
  const std::string to(decision.to ? model::to_word(*decision.to) : "");
  const auto labelled = [](std::string_view label, std::string_view text) {
    return text.empty() ? std::string()
                        : fmt::format("{} {}", label, base::printable(text, kLongest));
  };
  return fmt::format(
      "decided: {}{}{}{}{}{}; {}", model::to_word(decision.kind),
      labelled("", proposal.destination),
      from.empty() && to.empty() ? "" : fmt::format(": {} -> {}", from, to),
      decision.until == 0
          ? ""
          : " until " + base::iso_time(base::sys_seconds(std::chrono::seconds(decision.until))),
      labelled(", row", decision.rule), labelled(", view", proposal.view),
      base::printable(decision.why, kLongest));
}

}  // namespace

StateKeeper::StateKeeper(net::Loop& loop, const base::Clock& clock, Outlet& outlet)
    : clock_(clock),
      outlet_(outlet),
      commit_(loop, [this] { commit(); }),
      watch_(loop, [this] { watch(); }) {}

void StateKeeper::open(const std::string& path) {
  if (path == path_) return;
  path_ = path;
  db_.reset();
  try_open();
  watch_.start(kWatchEvery);
}

void StateKeeper::try_open() {
  auto opened = store::StateDb::open_for_daemon(path_);
  if (!opened) {
    on_refused({opened.error(), false});
    return;
  }
  // Neither is "none" where it can't be read.
  const auto clock = opened->load_clock();
  if (!clock) return on_refused({clock.error(), false});
  const auto panic = opened->load_text(kPanicName);
  if (!panic) return on_refused({panic.error(), false});
  db_ = std::move(*opened);
  moments_.wall = std::max(moments_.wall, clock->wall);
  moments_.lived = std::max(moments_.lived, clock->lived);
  mode_ = *panic ? read_panic(**panic) : wire::ModeMessage{};
  recover();
  log_head();
  on_answer_connected();
}

void StateKeeper::recover() {
  if (alarm_.empty()) return;
  base::log_info("state.db can be written again");
  tell_alarm("state.db can be written again", true);
  alarm_.clear();
}

void StateKeeper::tell_alarm(const std::string& text, bool is_over) {
  const wire::AlarmMessage message{"ledger", {}, text, is_over};
  outlet_.tell_parent(wire::ToParent::Alarm, wire::to_payload(message), {});
}

void StateKeeper::on_refused(const store::StateDb::Refused& refused) {
  const std::string text = fmt::format(
      "state.db can't be used: {}; answers stay at the stricter level, and no mail is lowered, "
      "until it can be",
      refused.text);
  if (text != alarm_) {
    base::log_error("{}", text);
    tell_alarm(text, false);
    ++alarms_raised_;
  }
  alarm_ = text;
  // What a failed sync left on disk is read afresh by a new process.
  if (refused.is_fatal) std::exit(EX_IOERR);
}

std::string StateKeeper::clock_alarm() const {
  const auto now = clock_.now();
  if (moments_.wall - now.time_since_epoch().count() <= kClockSlack) return {};
  const base::sys_seconds highest{std::chrono::seconds(moments_.wall)};
  return fmt::format(
      "The clock says {}, but it was {} before: rows that expire before that time have expired. If "
      "the clock is right now, stop the daemon, run: sqlite3 {} \"{}\", and start it",
      base::iso_time(now), base::iso_time(highest), path_, store::StateDb::kForgetClock);
}

void StateKeeper::on_answer_connected() {
  send_base();
  tell_mode();
  if (!db_) return;
  if (const auto known = InboundKeeper::make_known(*db_)) {
    outlet_.tell_answer(wire::StoreToAnswer::InboundKnown, {}, std::array{known.get()});
  }
}

void StateKeeper::send_base() {
  if (!db_) return;
  const auto base = make_base();
  if (!base) return;
  const std::array fds{base.get()};
  outlet_.tell_answer(wire::StoreToAnswer::StateBase, {}, fds);
  is_base_stale_ = !outlet_.tell_parent(wire::ToParent::StateBase, {}, fds);
  base_at_ = clock_.now().time_since_epoch().count();
}

base::UniqueFd StateKeeper::make_base() {
  std::string bytes = state_base_head({moments_.wall, moments_.lived});
  std::vector<std::string> damaged;
  const auto loaded = db_->load_states([&](store::StoredState stored) {
    if (stored.is_stand_in) damaged.push_back(stored.destination);
    wire::append_state_record(bytes, {stored.view, stored.destination, stored.state});
    return true;
  });
  if (!loaded) {
    on_refused({loaded.error(), false});
    return {};
  }
  tell_damaged(damaged);
  auto sealed = image::seal("tlspolicyd-state", {bytes});
  if (!sealed) {
    base::log_error("the state base can't be made: {}", sealed.error());
    return {};
  }
  return std::move(*sealed);
}

void StateKeeper::tell_damaged(const std::vector<std::string>& destinations) {
  std::string text;
  if (!destinations.empty()) {
    const auto first = base::printable(destinations.front(), 300);
    const auto others = destinations.size() - 1;
    text = fmt::format(
        "what state.db has of {}{} can't be read; it counts as a peer that offered STARTTLS, until "
        "a delivery shows better or you run: tlspolicyctl reset {}",
        first, others == 0 ? "" : fmt::format(" (and of {} more)", others), first);
  }
  if (text == damage_) return;
  if (text.empty()) {
    tell_alarm("state.db has no state any more that can't be read", true);
  } else {
    base::log_error("{}", text);
    tell_alarm(text, false);
    ++alarms_raised_;
  }
  damage_ = std::move(text);
}

void StateKeeper::on_proposal(std::string_view payload) {
  auto proposal = wire::parse_proposal(payload);
  if (!proposal || queue_.size() >= kMostQueued) return;
  outlet_.note_proposal(*proposal);
  queue_.push_back(std::move(*proposal));
  // At the end of this turn of the loop: whatever has arrived by then is one commit.
  commit_.start(std::chrono::microseconds{0});
}

void StateKeeper::commit() {
  if (!db_ || queue_.empty()) return;
  std::vector<store::StateChange> changes;
  const auto count = std::min(queue_.size(), kMostAcknowledged);
  for (std::size_t i = 0; i < count; ++i) changes.push_back(change_of(queue_[i]));
  // A decision counts the deliveries that led to it.
  const auto decides = [](const auto& change) { return !change.decisions.empty(); };
  if (!counts_.empty() && std::ranges::any_of(changes, decides)) {
    if (const auto refused = add_counts()) return on_refused(*refused);
  }
  if (const auto refused = db_->commit(changes)) return on_refused(*refused);
  recover();
  std::string ids;
  for (std::size_t i = 0; i < count; ++i) {
    base::append_number<std::uint64_t>(ids, queue_[i].id);
    for (const auto& decision : queue_[i].decisions) {
      base::log_info("{}", describe(queue_[i], decision));
      is_base_stale_ = true;
    }
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  outlet_.tell_answer(wire::StoreToAnswer::Committed, ids, {});
  if (!queue_.empty()) commit_.start(std::chrono::microseconds{0});
}

void StateKeeper::on_counts(std::string_view payload) {
  while (auto record = wire::take_count_record(payload)) {
    outlet_.note_count(*record);
    if (counts_.size() >= kMostCounts) {
      ++dropped_;
    } else {
      counts_.push_back(count_of(*record));
    }
  }
}

void StateKeeper::on_observed(std::string_view payload) {
  while (auto record = wire::take_observed_record(payload)) {
    if (observed_.size() >= kMostCounts) {
      ++dropped_;
    } else {
      observed_.push_back({count_of(record->seen), std::move(record->asked)});
    }
  }
}

// What was counted is forgotten here once it is written.
std::optional<store::StateDb::Refused> StateKeeper::add_counts() {
  const auto now = clock_.now().time_since_epoch().count();
  auto refused = db_->add_counts(counts_, moments_, now);
  if (!refused) counts_.clear();
  return refused;
}

std::optional<store::StateDb::Refused> StateKeeper::save_counts() {
  if (auto refused = add_counts()) return refused;
  if (auto refused = db_->add_observed(observed_)) return refused;
  observed_.clear();
  return inbound_.save(*db_, clock_.now().time_since_epoch().count());
}

void StateKeeper::on_clock(std::string_view payload) {
  base::ByteReader from(payload);
  const auto wall = from.number<std::int64_t>();
  const auto lived = from.number<std::int64_t>();
  if (!from.ok()) return;
  // A new `answer` counts from the time of day until it has its base: that takes nothing back.
  moments_.wall = std::max(moments_.wall, wall);
  moments_.lived = std::max(moments_.lived, lived);
}

void StateKeeper::finish() {
  if (!db_) return;
  while (alarm_.empty() && !queue_.empty()) commit();
  if (const auto refused = save_counts()) on_refused(*refused);
}

void StateKeeper::watch() {
  watch_.start(kWatchEvery);
  if (!db_) return try_open();
  commit();
  if (const auto refused = save_counts()) {
    on_refused(*refused);
  } else if (queue_.empty()) {
    recover();
  }
  const auto now = clock_.now().time_since_epoch().count();
  if (mode_.until != 0 && std::max(now, moments_.wall) >= mode_.until)
    panic(model::RowMode::Enforce, 0);
  if (is_base_stale_ && now - base_at_ >= kBaseEvery) {
    const auto base = make_base();
    is_base_stale_ =
        !base || !outlet_.tell_parent(wire::ToParent::StateBase, {}, std::array{base.get()});
    base_at_ = now;
  }
  if (head_.is_due(clock_.now())) log_head();
}

void StateKeeper::log_head() {
  const auto head = db_->head();
  if (!head || head->seq == 0) return;
  head_.done(clock_.now());
  base::log_info("the ledger has {}; its newest hash is {}", base::counted(head->seq, "decision"),
                 head->hash);
}

bool StateKeeper::record(model::DecisionKind kind, std::string why, std::int64_t until) {
  if (!db_) return false;
  model::Decision decision;
  decision.kind = kind;
  decision.why = std::move(why);
  decision.until = until;
  const auto now = clock_.now().time_since_epoch().count();
  store::StateChange change;
  // The process too: a store that is started again within a second counts from one again, and what
  // has an id that is known is not written.
  change.id = fmt::format("store/{}/{}/{}", now, ::getpid(), ++own_ids_);
  change.decisions.push_back(std::move(decision));
  change.at = now;
  const auto refused = db_->commit({change});
  if (refused) on_refused(*refused);
  return !refused;
}

std::optional<std::string> StateKeeper::panic(model::RowMode mode, std::int64_t seconds) {
  // By the clock that ends it, which is never set back.
  const auto now = std::max(clock_.now().time_since_epoch().count(), moments_.wall);
  wire::ModeMessage wanted;
  wanted.mode = static_cast<std::uint8_t>(mode);
  wanted.until = seconds == 0 ? 0 : now + seconds;
  const auto why = seconds == 0 ? std::string("over: the configured mode holds")
                                : fmt::format("mode {} for {} s", model::to_word(mode), seconds);
  if (!record(model::DecisionKind::Panic, why, wanted.until)) {
    return alarm_.empty() ? "state.db can't be used" : alarm_;
  }
  if (const auto refused = db_->save_text(kPanicName, panic_text(wanted))) {
    on_refused(*refused);
    return refused->text;
  }
  mode_ = wanted;
  base::log_warning("panic: {}", why);
  tell_mode();
  return std::nullopt;
}

void StateKeeper::tell_mode() {
  outlet_.tell_answer(wire::StoreToAnswer::Mode, wire::to_payload(mode_), {});
}

bool StateKeeper::reset(std::string_view view, std::string_view destination) {
  const std::vector<std::string> texts{std::string(view), std::string(destination)};
  return outlet_.tell_answer(wire::StoreToAnswer::Reset, wire::to_payload(texts), {});
}

}  // namespace app
