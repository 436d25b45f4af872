#include "src/app/ctl_explain_state.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "src/app/ctl_time.h"
#include "src/app/panic_text.h"
#include "src/engine/advance.h"

namespace app::ctl {
namespace {

base::sys_seconds wall_of(model::Moment now) {
  return base::sys_seconds(std::chrono::seconds(now.wall));
}

std::string since(std::string_view what, std::int64_t at, model::Moment now) {
  return fmt::format("{} {} ({})", what, describe_distance(at, wall_of(now)), iso_time_of(at));
}

std::string describe_phase(const engine::Rules& rules, const model::DestinationState& state,
                           model::Moment now) {
  const auto end = fmt::format("{} ({})", describe_distance(state.until, wall_of(now)),
                               iso_time_of(state.until));
  switch (state.phase) {
    case model::Phase::Normal:
      return {};
    case model::Phase::Downgraded:
      return fmt::format("downgraded to {} since {}; it ends {}, then at least encrypt again",
                         model::to_word(state.to), iso_time_of(state.since), end);
    case model::Phase::Rerouted:
      return fmt::format("rerouted to {} since {}; one trial of TLS again {}", rules.reroute_to,
                         iso_time_of(state.since), end);
    case model::Phase::Probation:
      return "on probation after a downgrade: one more failure brings it back";
    case model::Phase::Trial:
      return "on trial after a reroute: one more failure brings it back";
  }
  return {};
}

// What time alone will change. Of other phases describe_phase() says it.
std::string describe_next(const engine::Rules& rules, const model::DestinationState& state,
                          model::Moment now, bool is_frozen) {
  if (state.phase != model::Phase::Normal) return {};
  const auto next = engine::advance(&rules, state, engine::Tick{}, now, false);
  const bool is_overdue = !next.decisions.empty();
  if (is_frozen && (is_overdue || next.due_in)) {
    return "next: nothing is lowered in the freeze, and what failed before its end does not count";
  }
  if (is_overdue) {
    const auto what = next.state.phase == model::Phase::Rerouted
                          ? fmt::format("rerouted to {}", rules.reroute_to)
                          : fmt::format("downgraded to {}", model::to_word(next.state.to));
    return fmt::format("next: {} as soon as the daemon decides it, unless TLS works before", what);
  }
  if (next.due_in) {
    return fmt::format("next: downgraded to {} in {}, unless TLS works before",
                       model::to_word(rules.downgrade_to), describe_span(*next.due_in));
  }
  if (!engine::depends_on_state(rules) || rules.remember_for == 0) return {};
  if (engine::is_offer_remembered(rules, state, now)) {
    return fmt::format("next: that it offers STARTTLS is forgotten in {}, unless it does again",
                       describe_span(rules.remember_for - (now.lived - state.offered_lived)));
  }
  if (engine::is_absence_remembered(rules, state, now)) {
    return fmt::format("next: that STARTTLS is missing is forgotten in {}, unless it is seen again",
                       describe_span(rules.remember_for - (now.wall - state.absent_at)));
  }
  return {};
}

}  // namespace

KnownStates::KnownStates(const Context& context) : clock_(context.now), mode_(context.config.mode) {
  now_.wall = context.now.time_since_epoch().count();
  const std::string& path = context.config.state_db;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return;
  if (const auto opened = open(path); !opened) give_up(opened.error());
}

base::Result<void> KnownStates::open(const std::string& path) {
  auto db = store::StateDb::open_read_only(path);
  if (!db) return base::Error{db.error()};
  const auto clock = db->load_clock();
  if (!clock) return base::Error{clock.error()};
  const auto panic = db->load_text(kPanicName);
  if (!panic) return base::Error{panic.error()};
  db_ = std::move(*db);
  // The daemon saves its clocks every few seconds, so both have gone on since by as much.
  const auto passed = std::max<std::int64_t>(0, now_.wall - clock->wall);
  now_.lived = clock->lived + passed;
  now_.wall = std::max(now_.wall, clock->wall);
  const auto asked = read_panic(panic->value_or(""));
  if (now_.wall < asked.until) {
    mode_ = static_cast<model::RowMode>(asked.mode);
    panic_until_ = asked.until;
  }
  return {};
}

std::string KnownStates::panic_note() const {
  if (panic_until_ == 0) return {};
  return fmt::format(
      "An admin's panic has the daemon in mode {} until {} ({}); tlspolicyctl panic off ends it.",
      model::to_word(mode_), iso_time_of(panic_until_), describe_distance(panic_until_, wall()));
}

void KnownStates::give_up(const std::string& trouble) {
  db_.reset();
  memory_ = engine::Memory::Missing;
  trouble_ = trouble;
}

std::string KnownStates::clock_note() const {
  // Time servers step a clock back by seconds; that is no news.
  constexpr std::chrono::seconds kSlack{60};
  if (wall() - clock_ <= kSlack) return {};
  return fmt::format(
      "This host's clock says {}, but the daemon has seen {}: rows that end before that have "
      "ended; "
      "see tlspolicyctl status.",
      base::iso_time(clock_), base::iso_time(wall()));
}

std::optional<model::DestinationState> KnownStates::find(std::string_view destination) {
  if (!db_) return std::nullopt;
  auto stored = db_->find_state({}, destination);
  if (!stored) give_up(stored.error());
  if (!stored || !stored->has_value()) return std::nullopt;
  return std::move((*stored)->state);
}

std::vector<Counted> KnownStates::count(std::string_view destination) {
  constexpr std::int64_t kDay = 86'400;
  if (!db_) return {};
  const auto rows = db_->list_counts(destination, now_.wall - kDay);
  if (!rows) {
    trouble_ = rows.error();
    return {};
  }
  std::vector<Counted> all;
  for (const auto& row : *rows) {
    Counted one{row.hour,
                row.view,
                std::string(model::to_word(row.source)),
                std::string(row.outcome.cause ? model::to_word(*row.outcome.cause)
                                              : model::to_word(row.outcome.security)),
                row.is_trusted,
                row.count};
    // Newest hour first, so the first of a kind has the time.
    const auto same = std::find_if(all.begin(), all.end(), [&one](const Counted& each) {
      return each.view == one.view && each.source == one.source && each.ending == one.ending &&
             each.is_trusted == one.is_trusted;
    });
    if (same == all.end()) {
      all.push_back(std::move(one));
    } else {
      same->count += one.count;
    }
  }
  return all;
}

std::vector<std::string> describe_state(const engine::Rules& rules,
                                        const model::DestinationState& state, model::Moment now,
                                        bool is_frozen) {
  std::vector<std::string> lines;
  if (state.offered_at != 0) lines.push_back(since("STARTTLS last offered", state.offered_at, now));
  if (state.has_vanished) lines.emplace_back("STARTTLS was not offered any more since then");
  if (state.absent_at != 0) lines.push_back(since("STARTTLS last missing", state.absent_at, now));
  if (state.worked_at != 0) lines.push_back(since("TLS last worked", state.worked_at, now));
  for (const auto& failure : state.failures) {
    const auto& seen = failure.evidence;
    lines.push_back(
        since(fmt::format("failed ({}{}{}, by {}{})",
                          seen.outcome.cause ? model::to_word(*seen.outcome.cause) : "?",
                          seen.mx.empty() ? "" : " at ", seen.mx, model::to_word(seen.source),
                          failure.at.lived <= state.thawed_lived ? ", excused by a freeze" : ""),
              failure.at.wall, now));
  }
  for (auto line :
       {describe_phase(rules, state, now), describe_next(rules, state, now, is_frozen)}) {
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace app::ctl
