#include "src/model/decision.h"

namespace model {

std::string_view to_word(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::Downgrade:
      return "downgrade";
    case DecisionKind::Reroute:
      return "reroute";
    case DecisionKind::Restore:
      return "restore";
    case DecisionKind::Freeze:
      return "freeze";
    case DecisionKind::Thaw:
      return "thaw";
    case DecisionKind::StarttlsVanished:
      return "starttls-vanished";
    case DecisionKind::ReOffered:
      return "re-offered";
    case DecisionKind::Reset:
      return "reset";
    case DecisionKind::Panic:
      return "panic";
    case DecisionKind::Accept:
      return "accept";
  }
  return "";
}

std::optional<DecisionKind> parse_decision_kind(std::string_view word) {
  for (const DecisionKind kind : kDecisionKinds) {
    if (to_word(kind) == word) return kind;
  }
  return std::nullopt;
}

}  // namespace model
