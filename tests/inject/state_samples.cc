#include "tests/inject/state_samples.h"

#include <fmt/format.h>

#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"

namespace inject {

store::StateChange change_of(std::uint64_t number) {
  model::Decision decision;
  decision.from = model::Level::Encrypt;
  decision.to = model::Level::May;
  decision.why = "2 failures of TLS, at least 300 s apart";
  decision.rule = "*";
  decision.fallback = "after-retry";
  decision.until = 5000;
  model::Evidence evidence;
  evidence.outcome.cause = model::Cause::HandshakeFailure;
  evidence.is_trusted = true;
  evidence.at = 1000;
  evidence.text = "Cannot start TLS: handshake failure";
  decision.evidence.push_back(evidence);
  store::StateChange change;
  change.id = fmt::format("change {}", number);
  change.destination = fmt::format("d{}.example", number);
  change.at = 1300;
  change.state.emplace();
  change.state->version = number + 1;
  change.state->phase = model::Phase::Downgraded;
  change.state->until = 5000;
  change.state->failures.push_back({{1000, 20}, evidence});
  change.decisions.push_back(std::move(decision));
  return change;
}

std::string find_change(store::StateDb& db, std::uint64_t number, bool& is_there) {
  const auto written = change_of(number);
  const auto state = must(db.find_state("", written.destination));
  const auto decisions = must(db.list_decisions(0, written.destination, 10));
  is_there = state.has_value();
  if (is_there != !decisions.empty() || decisions.size() > 1) {
    return fmt::format("half of change {}: {} decisions", number, decisions.size());
  }
  if (is_there && state->state != *written.state) return fmt::format("another state {}", number);
  if (is_there && decisions.front().until != 5000) return "another decision";
  return {};
}

std::string find_state_damage(const std::string& path) {
  auto db = store::StateDb::open_for_daemon(path);
  if (!db) return db.error();
  const auto found = db->verify_ledger("");
  if (!found) return found.error();
  return found->text.empty() ? find_damage(path) : found->text;
}

}  // namespace inject
