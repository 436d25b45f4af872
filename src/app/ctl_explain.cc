// explain: which row answers for a destination, and why the others don't. Needs no daemon.
#include "src/app/ctl_explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "src/app/ctl_control.h"
#include "src/app/ctl_explain_state.h"
#include "src/app/ctl_inbound.h"
#include "src/app/ctl_rows.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "tlsmap/session.h"

namespace app::ctl {
namespace {

using Fate = engine::Considered::Fate;
using Kind = model::Verdict::Kind;

// Answers from policy.db as the daemon answers from its image.
class DbOracle final : public model::Oracle {
 public:
  DbOracle(const PolicyDbRows& rows, KnownStates& states) : rows_(rows), states_(states) {}
  model::Verdict verdict_for(const model::Question& question) override {
    auto verdict = engine::judge(rows_, question, states_.mode(), states_.wall());
    hold(verdict, question);
    return verdict;
  }

  // The level that holds now, by what is known of the destination.
  void hold(model::Verdict& verdict, const model::Question& question) {
    if (verdict.kind != Kind::Policy) return;
    const auto rules = engine::rules_of(verdict.row, verdict.step, question.key.kind);
    if (!engine::depends_on_state(rules)) return;
    const auto state = states_.find(question.key.text);
    const auto held =
        engine::level_for(rules, state ? &*state : nullptr, states_.now(), states_.memory());
    engine::hold_level(verdict, held, question.transport);
  }

 private:
  const PolicyDbRows& rows_;
  KnownStates& states_;
};

void find_state(Explanation& found, KnownStates& states, bool is_frozen) {
  const auto state = states.find(found.key.text);
  found.counted = states.count(found.key.text);
  if (!states.trouble().empty()) {
    found.notes.push_back(fmt::format(
        "What is known of destinations can't be read: {}.{}", plain_sentence(states.trouble()),
        states.memory() == engine::Memory::Missing
            ? " Rows that depend on it are shown at the stricter level."
            : ""));
  }
  if (!state || found.verdict.kind != Kind::Policy) return;
  const auto rules = engine::rules_of(found.verdict.row, found.verdict.step, found.key.kind);
  found.known = describe_state(rules, *state, states.now(), is_frozen);
}

// What a Postfix that asks map `map` would read.
base::Result<Reply> answer_of(model::Oracle& oracle, const Config& config, const std::string& map,
                              const std::string& asked) {
  const tlsmap::Settings settings{config.postfix_version};
  tlsmap::Counters counters;
  tlsmap::Session session(oracle, settings, counters);
  std::string out;
  session.receive(make_request(map, asked), out);
  return parse_reply(out);
}

// Postfix's own walk after NOTFOUND, for host names alone [F 2.1.2].
std::vector<std::string> walk_of_postfix(const model::Key& key) {
  std::vector<std::string> keys;
  if (key.kind != model::KeyKind::Domain) return keys;
  for (auto dot = key.text.find('.'); dot != std::string::npos; dot = key.text.find('.', dot + 1)) {
    keys.push_back(key.text.substr(dot));
  }
  return keys;
}

// A faulty row of these names would decide for too many at once: nothing is published (DESIGN 2).
bool refuses_publication(const PolicyDbRows::Loaded& loaded) {
  const std::string& name = loaded.row.destination;
  const bool is_single_label = name.starts_with('.') && name.find('.', 1) == std::string::npos;
  return loaded.is_profile_at_fault || name == engine::kAnyRow || name == engine::kAnyHostRow ||
         is_single_label;
}

void note_faults(Explanation& found, const PolicyDbRows& rows) {
  for (const auto& each : found.considered) {
    const auto* loaded = rows.loaded(each.row.destination);
    if (loaded == nullptr || loaded->fault.empty() || !refuses_publication(*loaded)) continue;
    found.notes.push_back(
        fmt::format("While this fault stands in {} the daemon publishes no change at all and goes "
                    "on with the policy from before it.",
                    loaded->is_profile_at_fault ? "profile " + loaded->row.profile
                                                : "row " + loaded->row.destination));
  }
}

void note_surroundings(Explanation& found, const Context& context, const KnownStates& states) {
  auto panic = states.panic_note();
  if (states.mode() == model::RowMode::Observe) {
    found.notes.push_back(fmt::format(
        "The daemon's mode is observe ({}): it answers as if there were no rows. What they "
        "would have done: tlspolicyctl decisions --observed",
        panic.empty() ? context.config_file : "an admin's panic"));
  }
  if (!panic.empty()) found.notes.push_back(std::move(panic));
  if (found.asked == engine::kAnyRow || found.asked == engine::kAnyHostRow) {
    found.notes.push_back(
        fmt::format("{} is the name of a row and nothing that Postfix asks for; explain a "
                    "destination instead.",
                    found.asked));
  }
}

// Best effort: what the daemon says of itself, where there is one.
Json ask_daemon(const Context& context) {
  constexpr std::chrono::milliseconds kPatience{300};
  const auto status = ask_control(context.config.control_socket, "status", kPatience);
  return status ? *status : Json::object();
}

bool is_frozen(const Json& status) {
  return is_true_in(object_in(status, "feedback"), "frozen");
}

// Whether what stands in policy.db is what the daemon serves.
void note_daemon(Explanation& found, const Json& status) {
  if (is_frozen(status)) {
    found.notes.emplace_back(
        "The daemon is in a freeze: so much failed at once that nothing is lowered or bounced "
        "now.");
  }
  const auto state = object_in(status, "policy_db");
  if (!object_in(status, "pending").empty()) {
    found.notes.emplace_back(
        "The daemon does not serve this content of policy.db yet: it drops or weakens so many rows "
        "that it waits for `tlspolicyctl accept`.");
  } else if (const auto word = text_in(state, "state"); !word.empty() && word != "live") {
    const auto why = text_in(state, "text");
    found.notes.push_back(fmt::format("The daemon does not serve this content of policy.db: {}.",
                                      why.empty() ? word : why));
  }
}

// Of rows that were passed over none decides; but where the daemon itself observes, the first row
// in mode enforce would have.
bool is_deciding(const engine::Considered& each) {
  return each.fate == Fate::Won || each.fate == Fate::Faulty ||
         (each.fate == Fate::Observed && each.row.mode == model::RowMode::Enforce);
}

void find_deciding_row(Explanation& found, const PolicyDbRows& rows, store::PolicyDb& db) {
  const auto at = std::find_if(found.considered.begin(), found.considered.end(), is_deciding);
  if (at == found.considered.end()) return;
  found.deciding = rows.loaded(at->row.destination);
  if (found.deciding == nullptr) return;
  const store::OutboundRow& row = found.deciding->row;
  const auto note = [&found](std::string_view what, const std::string& error) {
    found.notes.push_back(fmt::format("{} can't be shown: {}.", what, plain_sentence(error)));
  };
  auto profile = db.find_profile(row.profile);
  if (!profile) {
    note("The profile", profile.error());
  } else {
    found.profile = std::move(*profile);
  }
  auto changes = db.list_changes("outbound", row.destination, 1);
  if (!changes) {
    note("When the row was written", changes.error());
  } else if (!changes->empty()) {
    found.last_change = std::move(changes->front());
  }
}

base::Result<Explanation> explain(const Context& context, const std::string& asked,
                                  store::PolicyDb& db, const PolicyDbRows& rows,
                                  const Json& status) {
  Explanation found;
  found.asked = asked;
  found.key = model::normalise_key(asked);
  KnownStates states(context);
  DbOracle oracle(rows, states);
  found.mode = states.mode();
  const auto configured = model::to_text(context.config.postfix_version);
  for (const auto& [map, version] : {std::pair<std::string, std::string>{"policy", configured},
                                     {"policy-3.10", "3.10"},
                                     {"strict", configured}}) {
    auto reply = answer_of(oracle, context.config, map, asked);
    if (!reply) return base::Error{fmt::format("map {}: {}", map, reply.error())};
    found.answers.push_back({map, version, std::move(*reply)});
  }
  const model::Question question{found.key, {}, model::Transport::Usual};
  found.verdict = engine::judge(rows, question, found.mode, states.wall(), &found.considered);
  oracle.hold(found.verdict, question);
  find_deciding_row(found, rows, db);
  find_state(found, states, is_frozen(status));
  if (auto note = states.clock_note(); !note.empty()) found.notes.push_back(std::move(note));
  if (found.verdict.kind == Kind::NotFound) found.next_keys = walk_of_postfix(found.key);
  note_faults(found, rows);
  note_surroundings(found, context, states);
  if (!rows.trouble().empty()) return base::Error{plain_sentence(rows.trouble())};
  return found;
}

Exit run_explain(const Context& context, const Arguments& arguments) {
  if (!arguments.facts.empty()) return explain_inbound(context, arguments);
  if (arguments.destination.empty()) {
    return refuse_usage("DEST is required, or --inbound with what is known of a mail");
  }
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  const PolicyDbRows rows(*db);
  const auto status = ask_daemon(context);
  auto found = explain(context, arguments.destination, *db, rows, status);
  if (!found) return fail(fmt::format("{}: {}", arguments.destination, found.error()));
  note_daemon(*found, status);
  if (context.is_json) {
    print_json(to_json(*found, context));
  } else {
    print_as_text(*found, context);
  }
  return Exit::Done;
}

}  // namespace

void add_explain_verb(const Verb& root, CommandLine& line) {
  const Verb explain = add_verb(root, line, "explain",
                                "Show which row answers for a destination, and why", run_explain);
  explain.group(kAskingGroup);
  explain.add_option("DEST", line.arguments.destination,
                     "A destination, as Postfix would ask for it");
  explain.add_option("--inbound", line.arguments.facts,
                     "Which rule holds for a mail that comes in: client=192.0.2.1 "
                     "sender=u@partner.example protocol=TLSv1.3 bits=256");
}

}  // namespace app::ctl
