#include "src/jobs/feedback.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/engine/bounces.h"

namespace jobs {
namespace {

using engine::Advanced;
using engine::Held;
using engine::Memory;
using engine::Rules;
using model::DestinationState;
using model::Evidence;

// Beyond these, what is only learned is not written down; decisions always are.
constexpr std::size_t kMostOpen = 10'000;
constexpr std::size_t kMostPending = 64;  // of one destination
constexpr std::size_t kMostCounts = 50'000;
// An offer that is refreshed within this long is not worth a commit.
constexpr std::int64_t kRefreshEvery = 3600;
constexpr std::int64_t kHour = 3600;

// Whether a commit is owed: a restart must not know less.
bool is_material(const DestinationState& before, const DestinationState& after) {
  return before.phase != after.phase || before.to != after.to || before.until != after.until ||
         before.failures != after.failures || before.thawed_lived != after.thawed_lived ||
         before.is_confirmed != after.is_confirmed || before.is_failing != after.is_failing ||
         before.has_vanished != after.has_vanished ||
         (before.absent_at == 0) != (after.absent_at == 0) ||
         (before.offered_at == 0) != (after.offered_at == 0) ||
         after.offered_at - before.offered_at >= kRefreshEvery ||
         after.absent_at - before.absent_at >= kRefreshEvery;
}

std::string_view to_word(engine::AlarmKind kind) {
  switch (kind) {
    case engine::AlarmKind::Downgraded:
      return "downgrade";
    case engine::AlarmKind::TlsFailing:
      return "tls-failing";
    case engine::AlarmKind::StarttlsVanished:
      return "starttls-vanished";
  }
  return "";
}

std::uint64_t& count_of(engine::AlarmKind kind, wire::AlarmCounts& counts) {
  switch (kind) {
    case engine::AlarmKind::Downgraded:
      break;
    case engine::AlarmKind::TlsFailing:
      return counts.tls_failing;
    case engine::AlarmKind::StarttlsVanished:
      return counts.starttls_vanished;
  }
  return counts.downgrade;
}

}  // namespace

Feedback::Feedback(const base::Clock& clock, RuleBook& rules, Outlet& outlet,
                   std::size_t most_destinations)
    : clock_(clock),
      rules_(rules),
      outlet_(outlet),
      most_destinations_(most_destinations),
      table_(most_destinations) {}

Memory Feedback::memory_of_absent() const {
  if (memory_ == Memory::Missing) return Memory::Missing;
  return table_.is_full() ? Memory::Full : Memory::Whole;
}

DestinationState Feedback::newest(std::string_view view, std::string_view destination) const {
  const auto pending = pending_.find(Place(view, destination));
  if (pending != pending_.end()) return pending->second.back().state;
  return table_.find(view, destination).value_or(DestinationState{});
}

Held Feedback::level_for(const Rules& rules, std::string_view view, std::string_view destination) {
  const auto now = clock_.now();
  const auto in_force = table_.find(view, destination);
  auto strictest =
      engine::level_for(rules, in_force ? &*in_force : nullptr, now, memory_of_absent());
  if (pending_.empty()) return strictest;
  const auto pending = pending_.find(Place(view, destination));
  if (pending == pending_.end()) return strictest;
  auto certainty = strictest.certainty;
  for (const auto& [id, state] : pending->second) {
    const auto coming = engine::level_for(rules, &state, now, Memory::Whole);
    certainty = std::max(certainty, coming.certainty);  // the one that promises least
    if (model::strictness(coming.level) > model::strictness(strictest.level)) strictest = coming;
  }
  strictest.certainty = certainty;
  return strictest;
}

bool Feedback::is_rerouted(const Rules& rules, std::string_view view,
                           std::string_view destination) {
  const auto now = clock_.now();
  const auto in_force = table_.find(view, destination);
  if (!in_force || !engine::is_rerouted(rules, *in_force, now)) return false;
  const auto pending = pending_.find(Place(view, destination));
  return pending == pending_.end() || std::ranges::all_of(pending->second, [&](const auto& each) {
           return engine::is_rerouted(rules, each.state, now);
         });
}

bool Feedback::take(std::string_view view, const model::Key& key, const Evidence& evidence) {
  count(view, key, evidence);
  if (!evidence.is_trusted || !has_base()) return false;
  const auto now = clock_.now();
  const auto before = newest(view, key.text);
  const bool begins = may_begin_to_fail(before) && before.failures.empty();
  const auto cause = evidence.outcome.cause;
  if (model::is_mail(evidence.source)) freeze_.note_try(key.text, now.lived);
  if (cause && model::is_tls_missing(*cause) && begins) {
    freeze_.note_failure(key.text, evidence.mx, now.lived);
  } else if (model::is_mail(evidence.source) && !cause &&
             evidence.outcome.security != model::Security::Unknown &&
             evidence.outcome.security != model::Security::Clear) {
    // Of mail alone: a probe that lifts a freeze would let others be lowered.
    freeze_.note_success(key.text);
  }
  watch_freeze();
  apply(view, key, engine::Seen{evidence});
  const auto rules = rules_.rules_for(view, key);
  return rules && engine::bounces(*rules, newest(view, key.text), evidence, now, is_frozen_);
}

void Feedback::take_finding(std::string_view view, const model::Key& key,
                            const engine::ProbeFinding& finding, std::int64_t at) {
  const auto rules = rules_.rules_for(view, key);
  const auto evidence = engine::evidence_for(rules ? &*rules : nullptr, finding, at);
  if (evidence) take(view, key, *evidence);
}

bool Feedback::reset(std::string_view view, const model::Key& key) {
  if (newest(view, key.text).version == 0) return false;
  apply(view, key, engine::Reset{});
  return true;
}

void Feedback::take_own_fault(bool is_ours) {
  const auto now = clock_.now();
  freeze_.hold_until(is_ours ? now.lived + kOwnFaultHolds : 0);
  watch_freeze();
}

void Feedback::tick() {
  watch_freeze();
  if (!may_decide()) return;
  apply_to_all(engine::Tick{});
  send_rest();
}

void Feedback::rules_changed() {
  if (may_decide()) apply_to_all(engine::RulesChanged{});
}

void Feedback::apply_to_all(const engine::Event& event) {
  table_.for_each_unsettled([&](std::string_view view, std::string_view destination) {
    apply(view, model::normalise_key(destination), event);
  });
  std::vector<Place> waiting;
  waiting.reserve(pending_.size());
  for (const auto& [place, states] : pending_) waiting.push_back(place);
  for (const auto& [view, destination] : waiting) {
    apply(view, model::normalise_key(destination), event);
  }
}

Advanced Feedback::apply(std::string_view view, const model::Key& key, const engine::Event& event) {
  const auto rules = rules_.rules_for(view, key);
  const auto before = newest(view, key.text);
  const auto now = clock_.now();
  auto advanced = engine::advance(rules ? &*rules : nullptr, before, event, now, is_frozen_);
  if (!(advanced.state == before)) {
    settle(view, key.text, before, advanced, now.wall);
  }
  return advanced;
}

void Feedback::settle(std::string_view view, std::string_view destination,
                      const DestinationState& before, const Advanced& advanced, std::int64_t at) {
  const Place place(view, destination);
  const bool is_owed = !advanced.decisions.empty() || is_material(before, advanced.state);
  if (!is_owed) {
    // Nothing in it weakens an answer, so it may be used at once.
    if (const auto pending = pending_.find(place); pending != pending_.end()) {
      pending->second.back().state = advanced.state;
    } else {
      table_.put(view, destination, advanced.state);
    }
    return;
  }
  const auto pending = pending_.find(place);
  const bool is_crowded = open_.size() >= kMostOpen ||
                          (pending != pending_.end() && pending->second.size() >= kMostPending);
  if (advanced.decisions.empty() && is_crowded) return;
  wire::Proposal proposal;
  proposal.id = next_id();
  proposal.at = at;
  proposal.view = view;
  proposal.destination = destination;
  proposal.state = advanced.state;
  proposal.decisions = advanced.decisions;
  pending_[place].push_back({proposal.id, advanced.state});
  for (const auto& alarm : advanced.alarms) tell(destination, alarm, advanced);
  propose(std::move(proposal));
}

void Feedback::tell(std::string_view destination, const engine::Alarm& alarm,
                    const Advanced& advanced) {
  std::string text;
  for (const auto& decision : advanced.decisions) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", decision.why);
  }
  if (text.empty() && !advanced.state.failures.empty()) {
    const auto& last = advanced.state.failures.back().evidence;
    if (last.outcome.cause) text = model::to_word(*last.outcome.cause);
  }
  if (!alarm.is_over) ++count_of(alarm.kind, alarms_raised_);
  outlet_.alarm(to_word(alarm.kind), destination, text, alarm.is_over);
}

std::uint64_t Feedback::next_id() {
  // Ids go on over restarts, because they begin with the second of the start.
  if (last_id_ == 0)
    last_id_ = (static_cast<std::uint64_t>(clock_.now().wall) << 32U) | (incarnation_ << 16U);
  return ++last_id_;
}

void Feedback::propose(wire::Proposal proposal) {
  auto& open = open_[proposal.id];
  open.proposal = std::move(proposal);
  send(open);
}

void Feedback::send(Open& open) {
  // A freeze is of no destination, and depends on no base.
  const bool may_be_sent = may_decide() || !open.proposal.state;
  open.is_sent = may_be_sent && outlet_.propose(open.proposal);
}

void Feedback::send_rest() {
  for (auto& [id, open] : open_) {
    if (!open.is_sent) send(open);
    if (!open.is_sent) return;
  }
}

void Feedback::committed(std::uint64_t id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const auto proposal = std::move(found->second.proposal);
  open_.erase(found);
  if (!proposal.state) return;
  const Place place(proposal.view, proposal.destination);
  const auto pending = pending_.find(place);
  if (pending == pending_.end()) return;
  auto& states = pending->second;
  const auto acknowledged =
      std::ranges::find_if(states, [id](const auto& each) { return each.id == id; });
  if (acknowledged == states.end()) return;  // a newer one is on disk already
  // With what was learned since, and needs no commit.
  put_newer(table_, place, acknowledged->state);
  states.erase(states.begin(), std::next(acknowledged));
  if (states.empty()) pending_.erase(pending);
}

void Feedback::propose_again() {
  for (auto& [id, open] : open_) open.is_sent = false;
  send_rest();
}

std::string Feedback::why_frozen(bool is_frozen, std::int64_t now) const {
  if (!is_frozen) return "few enough fail";
  if (freeze_.is_held(now)) {
    return "checks of many unrelated hosts say that our own network strips STARTTLS, so nothing is "
           "lowered or bounced";
  }
  return fmt::format(
      "{} names that did TLS before fail at once: the fault is likely ours, so nothing is lowered "
      "or bounced",
      freeze_.failing());
}

void Feedback::watch_freeze() {
  const auto now = clock_.now();
  const bool is_frozen = freeze_.is_frozen(now.lived);
  if (is_frozen == is_frozen_) return;
  is_frozen_ = is_frozen;
  model::Decision decision;
  decision.kind = is_frozen ? model::DecisionKind::Freeze : model::DecisionKind::Thaw;
  decision.why = why_frozen(is_frozen, now.lived);
  if (is_frozen) ++alarms_raised_.freeze;
  outlet_.alarm("freeze", {}, decision.why, !is_frozen);
  wire::Proposal proposal;
  proposal.id = next_id();
  proposal.at = now.wall;
  proposal.decisions.push_back(std::move(decision));
  propose(std::move(proposal));
  if (!is_frozen) apply_to_all(engine::Thawed{});
}

void Feedback::count(std::string_view view, const model::Key& key, const Evidence& evidence) {
  totals_.add(evidence.source, evidence.outcome);
  if (counts_.size() >= kMostCounts || observed_.size() >= kMostCounts) {
    ++dropped_counts_;
    return;
  }
  const auto hour = clock_.now().wall / kHour * kHour;
  const CountKey seen{
      std::string(view),      key.text,           hour, evidence.source, evidence.outcome.security,
      evidence.outcome.cause, evidence.is_trusted};
  ++counts_[seen];
  if (!model::is_mail(evidence.source)) return;
  if (const auto asked = rules_.observed_for(view, key)) ++observed_[{seen, *asked}];
}

wire::CountRecord Feedback::record_of(const CountKey& key, std::uint32_t count) {
  return {key.view,   key.destination,           key.hour,
          key.source, {key.security, key.cause}, key.is_trusted,
          count};
}

std::vector<wire::CountRecord> Feedback::take_counts() {
  std::vector<wire::CountRecord> records;
  records.reserve(counts_.size());
  for (const auto& [key, count] : std::exchange(counts_, {})) {
    records.push_back(record_of(key, count));
  }
  return records;
}

std::vector<wire::ObservedRecord> Feedback::take_observed() {
  std::vector<wire::ObservedRecord> records;
  records.reserve(observed_.size());
  for (const auto& [key, count] : std::exchange(observed_, {})) {
    records.push_back({record_of(key.seen, count), key.asked});
  }
  return records;
}

}  // namespace jobs
