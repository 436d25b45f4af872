// state, reset, panic: what the running daemon knows of destinations, and the two words of an admin
// that change it.
#include <fmt/format.h>

#include <chrono>

#include "src/app/ctl_control.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"

namespace app::ctl {
namespace {

constexpr std::chrono::milliseconds kPatience{5000};
constexpr std::string_view kDefaultPanic = "1h";

std::string time_or_dash(const Json& state, const char* name, base::sys_seconds now) {
  const auto at = number_in(state, name);
  return at == 0 ? "-" : describe_distance(at, now);
}

std::string phase_of(const Json& state, base::sys_seconds now) {
  auto phase = text_in(state, "phase");
  const auto level = text_in(state, "level");
  const auto until = number_in(state, "until");
  if (phase == "downgraded") {
    return fmt::format("downgraded to {}, ends {}", level, describe_distance(until, now));
  }
  if (phase == "rerouted") return fmt::format("rerouted, ends {}", describe_distance(until, now));
  return phase;
}

// What counts against it, with ages; what comes of that depends on its row.
void print_failures(const Json& states, base::sys_seconds now) {
  bool has_any = false;
  Table table({"view", "failed", "cause", "by", "host", "what was seen"});
  for (const auto& state : states) {
    for (const auto& failure : array_in(state, "failures")) {
      has_any = true;
      const auto view = text_in(state, "view");
      const auto host = text_in(failure, "mx");
      table.add({view.empty() ? "-" : view, time_or_dash(failure, "at", now),
                 text_in(failure, "cause"), text_in(failure, "source"), host.empty() ? "-" : host,
                 text_in(failure, "text")});
    }
  }
  if (!has_any) return;
  fmt::print(stdout, "\nFailures that are remembered\n{}", table.render(2));
}

void print_states(const Json& states, base::sys_seconds now) {
  Table table(
      {"destination", "phase", "STARTTLS offered", "not offered", "TLS worked", "failures"});
  for (const auto& state : states) {
    if (!state.is_object()) continue;
    const auto view = text_in(state, "view");
    const auto name = text_in(state, "destination");
    table.add({view.empty() ? name : fmt::format("{} (view {})", name, view), phase_of(state, now),
               time_or_dash(state, "offered_at", now), time_or_dash(state, "absent_at", now),
               time_or_dash(state, "worked_at", now),
               std::to_string(array_in(state, "failures").size())});
  }
  fmt::print(stdout, "{}", table.render());
}

Exit run_state(const Context& context, const Arguments& arguments) {
  const auto answer =
      ask_control_for(context.config.control_socket,
                      Json{{"verb", "state"}, {"destination", arguments.destination}}, kPatience);
  if (!answer) return fail(answer.error());
  if (const auto why = refusal_in(*answer)) return fail(*why);
  const auto states = array_in(*answer, "states");
  if (context.is_json) {
    print_json(states);
  } else if (states.empty() && !arguments.destination.empty()) {
    say(fmt::format("Nothing is known of {}: no delivery to it was seen yet.",
                    terminal_text(arguments.destination)));
  } else if (states.empty()) {
    say("Nothing is known of any destination yet: no delivery was seen through the map `outcome` "
        "or "
        "the mail log.");
  } else {
    print_states(states, context.now);
    if (!arguments.destination.empty()) {
      print_failures(states, context.now);
      say(fmt::format("\nWhich row that meets, and what changes next: tlspolicyctl explain {}",
                      terminal_text(arguments.destination)));
    }
  }
  if (const auto left_out = number_in(*answer, "left_out"); left_out > 0) {
    warn(fmt::format("{} more destinations are known; name one to see it", left_out));
  }
  return Exit::Done;
}

Exit run_reset(const Context& context, const Arguments& arguments) {
  const auto answer = ask_control_for(
      context.config.control_socket,
      Json{{"verb", "reset"}, {"destination", arguments.destination}, {"view", arguments.view}},
      kPatience);
  if (!answer) return fail(answer.error());
  if (const auto why = refusal_in(*answer)) return fail(*why);
  const bool is_done = is_true_in(*answer, "reset");
  if (context.is_json) {
    print_json(*answer);
  } else {
    const std::string_view what =
        is_done ? "forgotten; the next delivery learns anew. The ledger keeps it."
                : "nothing was known of it, so nothing is forgotten.";
    say(terminal_text(fmt::format("{}: {}", arguments.destination, what)));
  }
  return Exit::Done;
}

Exit run_panic(const Context& context, const Arguments& arguments) {
  const bool is_end = arguments.mode == "off";
  if (!is_end && !model::parse_row_mode(arguments.mode)) {
    return refuse_usage(fmt::format("panic takes observe, enforce or off, not \"{}\"",
                                    terminal_text(arguments.mode)));
  }
  const auto seconds =
      parse_duration(arguments.duration.empty() ? kDefaultPanic : arguments.duration);
  if (!seconds) {
    return refuse_usage(fmt::format("--for takes a duration like 45m, 1h or 2d, not \"{}\"",
                                    terminal_text(arguments.duration)));
  }
  const auto answer = ask_control_for(context.config.control_socket,
                                      Json{{"verb", "panic"},
                                           {"mode", is_end ? "enforce" : arguments.mode},
                                           {"seconds", is_end ? 0 : *seconds}},
                                      kPatience);
  if (!answer) {
    return fail(fmt::format(
        "{} Without the daemon this takes it out of Postfix: postconf -e 'smtp_tls_policy_maps =' "
        "(or the table that you had before) && postconf -X smtp_delivery_status_filter && postfix "
        "reload",
        answer.error()));
  }
  if (const auto why = refusal_in(*answer)) return fail(*why);
  if (context.is_json) {
    print_json(*answer);
  } else if (is_end) {
    say("The panic is over: the configured mode holds.");
  } else {
    say(fmt::format("Mode {} until {} ({}); it ends by itself, or with: tlspolicyctl panic off",
                    arguments.mode, iso_time_of(number_in(*answer, "until")),
                    describe_distance(number_in(*answer, "until"), context.now)));
  }
  return Exit::Done;
}

}  // namespace

void add_state_verbs(const Verb& root, CommandLine& line) {
  add_verb(root, line, "state",
           "Show what the daemon knows of destinations: TLS, failures, downgrades", run_state,
           ConfigNeed::Address)
      .group(kDaemonGroup)
      .add_option("DEST", line.arguments.destination, "One destination; all where none is given");
  const Verb reset =
      add_verb(root, line, "reset", "Have the daemon forget what it learned of a destination",
               run_reset, ConfigNeed::Address);
  reset.group(kDaemonGroup);
  reset.add_option("DEST", line.arguments.destination, "The destination, as `state` names it")
      .required();
  reset.add_option("--view", line.arguments.view, "The view, where map names carry one");
  const Verb panic = add_verb(root, line, "panic",
                              "Switch the whole daemon to observe or enforce for a time; recorded",
                              run_panic, ConfigNeed::Address);
  panic.group(kDaemonGroup);
  panic.add_option("MODE", line.arguments.mode, "observe, enforce, or off to end it").required();
  panic.add_option("--for", line.arguments.duration, "How long: 45m, 1h, 2d; 1h by default");
}

}  // namespace app::ctl
