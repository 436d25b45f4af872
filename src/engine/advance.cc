#include "src/engine/advance.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "src/engine/level_for.h"
#include "src/engine/repeats.h"

namespace engine {
namespace {

using model::Cause;
using model::Decision;
using model::DecisionKind;
using model::DestinationState;
using model::Evidence;
using model::Fallback;
using model::Level;
using model::Moment;
using model::Phase;
using model::Security;
using model::Source;

// More than any profile's `attempts` needs is not kept.
constexpr std::size_t kMostFailures = model::kMostAttempts + 1;

bool is_encrypted(const Evidence& seen) {
  return seen.outcome.security == Security::Encrypted ||
         seen.outcome.security == Security::Authenticated;
}

// One pass of the state machine over one event.
class Advance {
 public:
  Advance(const Rules* rules, DestinationState state, Moment now, bool is_frozen)
      : rules_(rules), now_(now), is_frozen_(is_frozen), before_(state) {
    next_.state = std::move(state);
  }

  void operator()(const Seen& seen);
  void operator()(const Tick& /*tick*/) { pass_time(); }
  void operator()(const RulesChanged& /*changed*/);
  void operator()(const Reset& /*reset*/);
  void operator()(const Thawed& /*thawed*/) {
    state().thawed_lived = now_.lived;  // the fault was likely ours: the next failure is the first
    pass_time();
  }

  Advanced finish();

 private:
  DestinationState& state() { return next_.state; }
  void note_offer(const Evidence& seen);
  void note_absence(const Evidence& seen);
  void note_success(const Evidence& seen);
  void note_failure(const Evidence& seen);
  void pass_time();
  void let_expire();
  void end_phase(Phase next, std::string why, std::vector<Evidence> evidence);
  void decide_if_due();
  void begin(DecisionKind kind, Phase phase, Level to);
  void raise(AlarmKind kind) { next_.alarms.push_back({kind, false}); }
  void begin_alarm();
  void end_alarm();

  [[nodiscard]] bool is_success(const Evidence& seen) const;
  [[nodiscard]] bool counts(const Evidence& seen) const;
  [[nodiscard]] bool is_away() const {
    return next_.state.phase == Phase::Downgraded || next_.state.phase == Phase::Rerouted;
  }
  [[nodiscard]] bool is_trying_again() const {
    return next_.state.phase == Phase::Probation || next_.state.phase == Phase::Trial;
  }
  // Seconds until the failures on record allow a downgrade; 0 = now, nothing = not by waiting.
  [[nodiscard]] std::optional<std::int64_t> downgrade_due_in() const;
  void forget_old_failures();
  void decide(DecisionKind kind, std::optional<Level> from, std::optional<Level> to,
              std::string why, std::int64_t until, std::vector<Evidence> evidence);
  [[nodiscard]] Level held() const {
    return level_for(*rules_, &next_.state, now_, Memory::Whole).level;
  }
  [[nodiscard]] std::vector<Evidence> what_led_here() const;

  const Rules* rules_;
  Moment now_;
  bool is_frozen_;
  DestinationState before_;
  Advanced next_;
};

// Who is asked for its name must show it; elsewhere encryption is all that a row asks for.
bool Advance::is_success(const Evidence& seen) const {
  if (!is_encrypted(seen)) return false;
  const bool is_identity_asked_for = rules_ != nullptr && rules_->level != Level::None &&
                                     rules_->level != Level::May && rules_->level != Level::Encrypt;
  return !seen.outcome.cause || !is_identity_asked_for;
}

// Whether what is no fault of ours is a failure at all, under these rules.
bool Advance::counts(const Evidence& seen) const {
  const auto cause = seen.outcome.cause;
  if (!cause || rules_ == nullptr) return false;
  if (*cause == Cause::StarttlsNotSupported) {
    // No failure where the level lets mail go in clear, and the peer was not known to do better.
    return next_.state.has_vanished || at_least_encrypt(rules_->level) == rules_->level;
  }
  if (model::is_tls_missing(*cause)) return true;
  return rules_->fallback == Fallback::Never || rules_->fallback == Fallback::Bounce ||
         rules_->fallback == Fallback::Reroute;
}

void Advance::operator()(const Seen& seen) {
  const Evidence& evidence = seen.evidence;
  const auto cause = evidence.outcome.cause;
  if (!evidence.is_trusted || cause == Cause::LocalFault) return;
  // TLS that works is no moment to lower anything, though it were due.
  if (is_success(evidence)) {
    let_expire();
  } else {
    pass_time();
  }
  const bool was_offered = evidence.was_offered || is_encrypted(evidence) ||
                           (cause && model::is_starttls_offered(*cause));
  if (was_offered) {
    note_offer(evidence);
  } else if (cause == Cause::StarttlsNotSupported && model::is_mail(evidence.source)) {
    // Others may raise alone: to believe that a peer never had it lets mail go in clear.
    note_absence(evidence);
  }
  if (is_success(evidence)) {
    note_success(evidence);
  } else if (counts(evidence)) {
    note_failure(evidence);
  }
}

void Advance::note_offer(const Evidence& seen) {
  if (state().has_vanished) {
    state().has_vanished = false;
    decide(DecisionKind::ReOffered, std::nullopt, std::nullopt, "STARTTLS is offered again", 0,
           {seen});
    next_.alarms.push_back({AlarmKind::StarttlsVanished, true});
  }
  state().offered_at = std::max(state().offered_at, happened_at(seen, now_));
  state().offered_lived = now_.lived;
  state().absent_at = 0;
}

void Advance::note_absence(const Evidence& seen) {
  // A line read late, of before the last offer.
  if (happened_at(seen, now_) < state().offered_at) return;
  const Rules any;
  const bool is_remembered = is_offer_remembered(rules_ == nullptr ? any : *rules_, state(), now_);
  if (!is_remembered) {
    state().absent_at = now_.wall;
    state().offered_at = 0;
    state().offered_lived = 0;
    if (std::exchange(state().has_vanished, false)) {
      next_.alarms.push_back({AlarmKind::StarttlsVanished, true});
    }
    return;
  }
  if (std::exchange(state().has_vanished, true)) return;
  decide(DecisionKind::StarttlsVanished, std::nullopt, std::nullopt,
         "STARTTLS was offered before, and is not any more", 0, {seen});
  raise(AlarmKind::StarttlsVanished);
}

void Advance::note_success(const Evidence& seen) {
  state().worked_at = std::max(state().worked_at, happened_at(seen, now_));
  state().failures.clear();
  state().is_confirmed = false;
  end_alarm();
  if (is_away()) {
    const bool is_probe = seen.source == Source::Probe;
    end_phase(Phase::Normal, is_probe ? "probe" : "delivery", {seen});
  }
  state().phase = Phase::Normal;
  state().length = 0;
}

void Advance::note_failure(const Evidence& seen) {
  const bool confirms = seen.source == Source::Probe || seen.source == Source::Maillog;
  if (is_away()) {
    state().is_confirmed = state().is_confirmed || confirms;
    return;
  }
  if (!model::is_mail(seen.source) && count_against(*rules_, state(), now_) == 0) {
    // It starts nothing, not even on probation; there it confirms what mail may see next.
    state().is_confirmed = state().is_confirmed || (confirms && is_trying_again());
    return;
  }
  const bool is_known = repeats(*rules_, state(), seen, now_);
  auto& failures = state().failures;
  if (is_known && failures.empty()) return;  // TLS has worked since
  state().is_confirmed = state().is_confirmed || confirms;
  if (!is_known) {
    failures.push_back({now_, seen});
    if (failures.size() > kMostFailures) failures.erase(failures.begin());
  }
  begin_alarm();
  decide_if_due();
}

void Advance::begin_alarm() {
  const bool is_asked_for = at_least_encrypt(rules_->level) == rules_->level;
  if (!is_asked_for || std::exchange(state().is_failing, true)) return;
  raise(AlarmKind::TlsFailing);
}

void Advance::end_alarm() {
  if (std::exchange(state().is_failing, false)) {
    next_.alarms.push_back({AlarmKind::TlsFailing, true});
  }
}

std::optional<std::int64_t> Advance::downgrade_due_in() const {
  if (rules_ == nullptr || rules_->fallback != Fallback::AfterRetry || !rules_->may_downgrade) {
    return std::nullopt;
  }
  const auto count = count_against(*rules_, next_.state, now_);
  if (count == 0) return std::nullopt;
  if (next_.state.phase == Phase::Probation) return 0;
  if (next_.state.phase != Phase::Normal) return std::nullopt;
  if (rules_->downgrade_to == Level::None) {
    return count >= needed_failures(*rules_, next_.state) ? std::optional<std::int64_t>(0)
                                                          : std::nullopt;
  }
  // The last try may itself fall back, so the one before it is enough.
  if (count < std::max<std::int64_t>(1, needed_failures(*rules_, next_.state) - 1))
    return std::nullopt;
  const auto age = now_.lived - next_.state.failures.back().at.lived;
  return std::max<std::int64_t>(0, rules_->retry_after - age);
}

void Advance::decide_if_due() {
  if (is_frozen_ || rules_ == nullptr) return;
  if (downgrade_due_in() == 0) {
    begin(DecisionKind::Downgrade, Phase::Downgraded, rules_->downgrade_to);
    raise(AlarmKind::Downgraded);
    return;
  }
  if (rules_->fallback != Fallback::Reroute || !rules_->may_downgrade || is_away()) return;
  const auto count = count_against(*rules_, next_.state, now_);
  const bool is_due = is_trying_again() ? count > 0 : count >= rules_->attempts;
  if (!is_due) return;
  begin(DecisionKind::Reroute, Phase::Rerouted, rules_->level);
  raise(AlarmKind::Downgraded);
}

void Advance::begin(DecisionKind kind, Phase phase, Level to) {
  const Level from = held();
  const bool is_again = is_trying_again();
  const auto longest = std::max(rules_->downgrade_for, rules_->downgrade_max);
  const bool is_doubled = is_again && state().is_confirmed && kind == DecisionKind::Downgrade;
  state().length = is_doubled
                       ? std::min(2 * std::max(state().length, rules_->downgrade_for), longest)
                       : rules_->downgrade_for;
  const auto count = count_against(*rules_, state(), now_);
  std::string why = is_again ? std::string("TLS failed again right after it was over")
                             : fmt::format("{} failure{} of TLS, at least {} s apart", count,
                                           count == 1 ? "" : "s", rules_->retry_after);
  decide(kind, from, to, std::move(why), now_.wall + state().length, what_led_here());
  state().phase = phase;
  state().to = to;
  state().since = now_.wall;
  state().until = now_.wall + state().length;
  state().failures.clear();
  state().is_confirmed = false;
}

void Advance::pass_time() {
  let_expire();
  decide_if_due();
}

void Advance::let_expire() {
  forget_old_failures();
  if (is_away() && now_.wall >= state().until) {
    end_phase(state().phase == Phase::Downgraded ? Phase::Probation : Phase::Trial, "expiry", {});
  }
}

void Advance::forget_old_failures() {
  if (rules_ == nullptr) return;
  std::erase_if(state().failures, [this](const auto& failure) {
    return now_.wall - failure.at.wall >= rules_->failure_memory;
  });
}

// Back to TLS.
void Advance::end_phase(Phase next, std::string why, std::vector<Evidence> evidence) {
  const Level from = state().to;
  state().phase = next;
  state().until = 0;
  state().since = now_.wall;
  std::optional<Level> to;
  if (rules_ != nullptr) to = held();
  decide(DecisionKind::Restore, from, to, std::move(why), 0, std::move(evidence));
  next_.alarms.push_back({AlarmKind::Downgraded, true});
}

void Advance::operator()(const RulesChanged& /*changed*/) {
  const Fallback fallback = rules_ == nullptr ? Fallback::Never : rules_->fallback;
  const bool may_fall = rules_ != nullptr && rules_->may_downgrade;
  const bool keeps_downgrade = may_fall && fallback == Fallback::AfterRetry;
  const bool keeps_reroute = may_fall && fallback == Fallback::Reroute;
  const bool is_lowered = state().phase == Phase::Downgraded || state().phase == Phase::Probation;
  const bool keeps = is_lowered ? keeps_downgrade : keeps_reroute;
  if (state().phase != Phase::Normal && !keeps) {
    if (is_away()) end_phase(Phase::Normal, "admin", {});
    state().phase = Phase::Normal;
    state().length = 0;
    state().failures.clear();
  }
  if (is_away()) {
    const auto longest = std::max(rules_->downgrade_for, rules_->downgrade_max);
    state().until = std::min(state().until, state().since + longest);
    if (state().phase == Phase::Downgraded &&
        model::strictness(state().to) < model::strictness(rules_->downgrade_to)) {
      const Level from = std::exchange(state().to, rules_->downgrade_to);
      decide(DecisionKind::Restore, from, state().to, "admin", state().until, {});
    }
  }
  if (rules_ == nullptr || at_least_encrypt(rules_->level) != rules_->level) end_alarm();
  pass_time();
}

void Advance::operator()(const Reset& /*reset*/) {
  const std::optional<Level> from = is_away() ? std::optional(state().to) : std::optional<Level>();
  auto evidence = what_led_here();
  if (is_away()) next_.alarms.push_back({AlarmKind::Downgraded, true});
  if (state().has_vanished) next_.alarms.push_back({AlarmKind::StarttlsVanished, true});
  end_alarm();
  const auto version = state().version;
  state() = DestinationState{};
  state().version = version;
  std::optional<Level> to;
  if (rules_ != nullptr) to = held();
  decide(DecisionKind::Reset, from, to, "admin", 0, std::move(evidence));
}

std::vector<Evidence> Advance::what_led_here() const {
  std::vector<Evidence> evidence;
  for (const auto& failure : next_.state.failures) {
    if (failure.at.lived > next_.state.thawed_lived) evidence.push_back(failure.evidence);
  }
  return evidence;
}

void Advance::decide(DecisionKind kind, std::optional<Level> from, std::optional<Level> to,
                     std::string why, std::int64_t until, std::vector<Evidence> evidence) {
  Decision decision;
  decision.kind = kind;
  decision.from = from;
  decision.to = to;
  decision.why = std::move(why);
  decision.until = until;
  decision.evidence = std::move(evidence);
  if (rules_ != nullptr) {
    decision.rule = rules_->rule;
    decision.fallback = model::to_word(rules_->fallback);
  }
  next_.decisions.push_back(std::move(decision));
}

Advanced Advance::finish() {
  if (state().failures.empty()) state().thawed_lived = 0;
  if (is_away()) {
    next_.due_in = std::max<std::int64_t>(1, state().until - now_.wall);
  } else if (const auto due = downgrade_due_in(); due && !is_frozen_) {
    next_.due_in = std::max<std::int64_t>(1, *due);
  }
  if (!(state() == before_)) ++state().version;
  return std::move(next_);
}

}  // namespace

Advanced advance(const Rules* rules, const DestinationState& state, const Event& event, Moment now,
                 bool is_frozen) {
  Advance pass(rules, state, now, is_frozen);
  std::visit(pass, event);
  return pass.finish();
}

}  // namespace engine
