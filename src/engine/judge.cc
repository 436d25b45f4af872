#include "src/engine/judge.h"

#include <optional>

#include "src/engine/rules.h"

namespace engine {
namespace {

using Kind = model::Verdict::Kind;

constexpr std::string_view kNoRow = "no row applies";
constexpr std::string_view kObserving = "the daemon is in mode observe, so no row is enforced";
constexpr std::string_view kRaised = "raised to encrypt, because this transport is for TLS alone";
constexpr std::string_view kWithoutProfile = "the row has no profile";
constexpr std::string_view kNoPolicy = "no policy has been loaded yet";

std::string_view reason_for(model::Step step) {
  switch (step) {
    case model::Step::AsWritten:
      return "a row of exactly this name";
    case model::Step::WithoutPort:
      return "the row of the name without its port";
    case model::Step::WithoutBrackets:
      return "the row of the host without brackets";
    case model::Step::Parent:
      return "the row of the nearest parent domain";
    case model::Step::Any:
      return "the row for any domain";
    case model::Step::AnyHost:
      return "the row for any host";
  }
  return {};
}

std::string_view fault_of(const model::PolicyRow& row) {
  if (!row.fault.empty()) return row.fault;
  return row.profile == nullptr ? kWithoutProfile : std::string_view{};
}

// Why the row doesn't hold at `now`, or nothing where it does.
std::optional<Considered::Fate> passed_over(const model::PolicyRow& row, base::sys_seconds now) {
  if (row.expires_at != 0 && row.expires_at <= now.time_since_epoch().count()) {
    return Considered::Fate::Expired;
  }
  if (row.mode == model::RowMode::Observe) return Considered::Fate::Observed;
  return std::nullopt;
}

// In place, like all here: a verdict is large, and each look-up makes one.
void set_level(model::Verdict& verdict, model::Level level, std::string_view reason,
               model::Transport transport) {
  const bool is_raised = transport == model::Transport::TlsOnly && !model::is_tls_required(level);
  verdict.level = is_raised ? model::Level::Encrypt : level;
  verdict.reason = is_raised ? kRaised : reason;
}

void set_row(model::Verdict& verdict, const model::PolicyRow& row, model::Step step,
             model::Transport transport) {
  verdict.row = row;
  verdict.step = step;
  if (const auto fault = fault_of(row); !fault.empty()) {
    verdict.kind = Kind::Unknown;
    verdict.reason = fault;
    return;
  }
  verdict.kind = Kind::Policy;
  verdict.certainty =
      may_fall_back(row.profile->fallback) ? model::Certainty::Loose : model::Certainty::Firm;
  set_level(verdict, row.profile->level, reason_for(step), transport);
}

Considered::Fate fate_of_winner(const model::PolicyRow& row, model::RowMode mode) {
  if (!fault_of(row).empty()) return Considered::Fate::Faulty;
  return mode == model::RowMode::Observe ? Considered::Fate::Observed : Considered::Fate::Won;
}

model::Verdict not_found(std::string_view reason) {
  model::Verdict verdict;
  verdict.reason = reason;
  return verdict;
}

}  // namespace

void hold_level(model::Verdict& verdict, const Held& held, model::Transport transport) {
  set_level(verdict, held.level, held.why, transport);
  verdict.certainty = held.certainty;
}

model::Verdict judge(const model::PolicyRows& rows, const model::Question& question,
                     model::RowMode mode, base::sys_seconds now,
                     std::vector<Considered>* considered) {
  model::Verdict verdict = not_found(kNoRow);
  bool is_won = false;
  walk_candidates(question.key, [&](const Candidate& candidate) {
    const auto row = rows.find(candidate.destination);
    if (!row) return false;
    auto fate = passed_over(*row, now);
    if (!fate && is_won) fate = Considered::Fate::Outranked;
    if (!fate) {
      is_won = true;
      set_row(verdict, *row, candidate.step, question.transport);
      fate = fate_of_winner(*row, mode);
    }
    if (considered != nullptr) considered->push_back({*fate, candidate.step, *row});
    return is_won && considered == nullptr;
  });
  if (mode == model::RowMode::Observe) verdict = not_found(kObserving);
  return verdict;
}

std::optional<model::Verdict> judge_observed(const model::PolicyRows& rows,
                                             const model::Question& question, model::RowMode mode,
                                             base::sys_seconds now) {
  std::optional<model::Verdict> found;
  walk_candidates(question.key, [&](const Candidate& candidate) {
    const auto row = rows.find(candidate.destination);
    if (!row) return false;
    const auto fate = passed_over(*row, now);
    if (fate == Considered::Fate::Expired) return false;
    if (fate || mode == model::RowMode::Observe) {
      set_row(found.emplace(), *row, candidate.step, question.transport);
    }
    return true;
  });
  return found;
}

model::Verdict judge_without_policy(model::RowMode mode) {
  if (mode == model::RowMode::Observe) return not_found(kObserving);
  model::Verdict verdict;
  verdict.kind = Kind::Unknown;
  verdict.reason = kNoPolicy;
  return verdict;
}

}  // namespace engine
