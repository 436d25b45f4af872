#include "tests/scenario/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace scenario {
namespace {

constexpr std::string_view kUsual = "example.org";

// "downgrade encrypt -> may until 01:05:00 because ...", as a line would have to say it.
std::string describe(const Decided& decided, bool with_why) {
  const auto& decision = decided.decision;
  std::string text(model::to_word(decision.kind));
  if (decision.from || decision.to) {
    text += fmt::format(" {} -> {}", decision.from ? model::to_word(*decision.from) : "nothing",
                        decision.to ? model::to_word(*decision.to) : "nothing");
  }
  if (decision.until != 0) text += fmt::format(" until {}", format_time(decision.until - kStart));
  if (!decided.destination.empty() && decided.destination != kUsual) {
    text += " for " + decided.destination;
  }
  if (with_why) text += " because " + decision.why;
  return text;
}

std::string text_of(const Words& words) {
  return Words(words).take_rest();
}

// "... on 2 pieces": how much evidence the ledger keeps. Cuts it off.
std::optional<std::size_t> cut_evidence(std::string& text) {
  constexpr std::string_view kOn = " on ";
  constexpr std::string_view kPieces = " of evidence";
  const auto on = text.rfind(kOn);
  if (on == text.npos || !text.ends_with(kPieces)) return std::nullopt;
  const auto count =
      parse_duration(text.substr(on + kOn.size(), text.size() - on - kOn.size() - kPieces.size()));
  text.resize(on);
  return count ? std::optional(static_cast<std::size_t>(*count)) : std::nullopt;
}

}  // namespace

std::optional<std::string> Stage::play(const Scenario& scenario) {
  for (Line line : scenario.lines) {
    const auto fault = play_line(line);
    if (!fault.empty()) return fmt::format("{}: {}", line.number, fault);
  }
  // What comes of the last event in its own second belongs to the story.
  Line end;
  end.at = world_.clock.passed;
  const auto fault = compare(end);
  if (!fault.empty()) return fmt::format("{}: at the end: {}", scenario.number, fault);
  return std::nullopt;
}

Stage::Fault Stage::play_line(Line& line) {
  if (!line.at) {
    return is_set_ ? "a line without a time; the scene is set before the first time"
                   : set_scene(line.event);
  }
  if (!is_set_) {
    is_set_ = true;
    world_.start();
    if (const auto done = world_.publish(); !done) return done.error();
    world_.load_state();
  }
  world_.pass_until(*line.at);
  std::string answer;
  if (auto fault = carry_out(line.event, answer); !fault.empty()) return fault;
  if (!line.event.at_end()) return fmt::format("unknown word '{}'", line.event.peek());
  world_.deliver();
  const auto wanted = line.answer ? text_of(*line.answer) : std::string();
  if (line.answer && answer.empty()) return "nothing here has an answer";
  if (line.answer && wanted != answer) {
    return fmt::format("the answer is '{}', not '{}'", answer, wanted);
  }
  // The sender is never told without a line that says so.
  if (!line.answer && answer == "bounce") return "the sender is told, and no line says so";
  return compare(line);
}

Stage::Fault Stage::set_scene(Words& words) {
  if (words.skip("profile:")) {
    if (auto fault = declare_profile("main", words); !fault.empty()) return fault;
    if (!world_.policy.rows.contains(std::string(kUsual))) {
      world_.policy.rows[std::string(kUsual)] = {"main"};
    }
    return {};
  }
  if (words.skip("profile")) return declare_profile(words.take(), words);
  if (words.skip("row")) return declare_row(words.take(), words);
  if (words.skip("limits:")) return set_limits(words);
  return fmt::format("unknown word '{}'; profile, row or limits sets a scene", words.peek());
}

Stage::Fault Stage::carry_out(Words& words, std::string& answer) {
  if (words.at_end()) return {};
  if (words.skip("answer")) return change_answer(words);
  if (words.skip("store")) return change_store(words);
  if (words.skip("clock")) return move_clock(words);
  if (words.skip("ledger")) {
    show_ledger(answer);
    return {};
  }
  if (!world_.is_up()) return "nobody answers; 'answer restarts' comes first";
  if (words.skip("asks")) return ask(words, answer);
  if (words.skip("transport")) return ask_transport(words, answer);
  if (words.skip("admin")) return edit(words);
  if (words.skip("state")) return change_state(words);
  if (words.skip("remembered")) {
    answer = fmt::format("{}", world_.feedback().known());
    return {};
  }
  return see(words, answer);
}

Stage::Fault Stage::compare(Line& line) {
  if (auto fault = compare_decisions(line); !fault.empty()) return fault;
  return compare_alarms(line);
}

Stage::Fault Stage::compare_decisions(const Line& line) {
  auto decided = std::exchange(world_.store.decided, {});
  std::stable_sort(decided.begin(), decided.end(), [](const auto& a, const auto& b) {
    return std::tie(a.at, a.destination) < std::tie(b.at, b.destination);
  });
  std::size_t next = 0;
  for (const auto& clause : line.clauses) {
    if (clause.kind != "decided") continue;
    auto wanted = text_of(clause.words);
    if (next == decided.size()) return fmt::format("not decided: {}", wanted);
    const auto& one = decided[next++];
    const auto pieces = cut_evidence(wanted);
    const bool with_why = wanted.find(" because ") != wanted.npos;
    if (one.decision.kind == model::DecisionKind::Restore && !with_why) {
      return "a restore is expected with its reason: because expiry, probe, delivery, admin";
    }
    if (one.at != *line.at || describe(one, with_why) != wanted) {
      return fmt::format("decided at {}: {}; expected: {}", format_time(one.at),
                         describe(one, with_why), wanted);
    }
    if (pieces && *pieces != one.decision.evidence.size()) {
      return fmt::format("{}: on {} of evidence", wanted, one.decision.evidence.size());
    }
  }
  if (next == decided.size()) return {};
  return fmt::format("no line expects what was decided at {}: {}", format_time(decided[next].at),
                     describe(decided[next], true));
}

Stage::Fault Stage::compare_alarms(const Line& line) {
  auto alarms = std::exchange(world_.store.alarms, {});
  std::stable_sort(alarms.begin(), alarms.end(), [](const auto& a, const auto& b) {
    return std::tie(a.at, a.destination) < std::tie(b.at, b.destination);
  });
  std::size_t next = 0;
  const auto describe_alarm = [](const Alarmed& one) {
    const bool is_named = !one.destination.empty() && one.destination != kUsual;
    return fmt::format("{} {}{}", one.is_over ? "over:" : "alarm:", one.what,
                       is_named ? " for " + one.destination : "");
  };
  for (const auto& clause : line.clauses) {
    if (clause.kind == "decided") continue;
    const auto wanted = fmt::format("{}: {}", clause.kind, text_of(clause.words));
    if (next == alarms.size()) return fmt::format("missing: {}", wanted);
    const auto& one = alarms[next++];
    if (one.at != *line.at || describe_alarm(one) != wanted) {
      return fmt::format("at {}: {}; expected: {}", format_time(one.at), describe_alarm(one),
                         wanted);
    }
  }
  if (next == alarms.size()) return {};
  return fmt::format("no line expects, at {}: {}", format_time(alarms[next].at),
                     describe_alarm(alarms[next]));
}

}  // namespace scenario
