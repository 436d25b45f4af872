// trace: what Postfix asks about a destination, what it is told, and how deliveries end, live.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "src/app/ctl_control.h"
#include "src/app/ctl_interrupt.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"

namespace app::ctl {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::chrono::milliseconds kPause{200};
// So long a role that died is waited for; the parent starts it again at once.
constexpr std::chrono::seconds kRestartPatience{5};

// "9:NOTFOUND ," without its frame.
std::string payload_of(std::string_view netstring) {
  const auto colon = netstring.find(':');
  if (colon == std::string_view::npos || !netstring.ends_with(',')) return std::string(netstring);
  return std::string(netstring.substr(colon + 1, netstring.size() - colon - 2));
}

void show(const Context& context, const Json& exchange) {
  const auto map = text_in(exchange, "map");
  const auto key = text_in(exchange, "key");
  const auto reply = payload_of(text_in(exchange, "reply"));
  if (context.is_json) {
    fmt::print(
        stdout, "{}\n",
        Json{{"at", number_in(exchange, "at")}, {"map", map}, {"key", key}, {"reply", reply}}.dump(
            -1, ' ', false, Json::error_handler_t::replace));
  } else {
    const bool is_outcome = map.starts_with("outcome");
    say(terminal_text(fmt::format("{}  {} {}  -> {}", iso_time_of(number_in(exchange, "at")),
                                  is_outcome ? key : map, is_outcome ? map : key, reply)));
  }
  std::fflush(stdout);
}

// One question. Once the daemon has answered, a process of it may be gone for a moment.
base::Result<Json> ask(const Context& context, const std::string& destination, std::int64_t after,
                       bool has_answered) {
  // Counted from the first failure: this process may have been stopped for an hour before it.
  std::optional<std::chrono::steady_clock::time_point> failing_since;
  while (true) {
    auto answer = ask_control_for(
        context.config.control_socket,
        Json{{"verb", "trace"}, {"destination", destination}, {"after", after}}, kPatience);
    if (answer || !has_answered) return answer;
    const auto now = std::chrono::steady_clock::now();
    if (!failing_since) failing_since = now;
    const bool is_late = now - *failing_since > kRestartPatience;
    const bool is_there = ::access(context.config.control_socket.c_str(), F_OK) == 0;
    if (is_late || !is_there) {
      return base::Error{fmt::format("the trace ends here: {}", answer.error())};
    }
    std::this_thread::sleep_for(kPause);
  }
}

Exit run_trace(const Context& context, const Arguments& arguments) {
  std::optional<std::int64_t> seconds;
  if (!arguments.duration.empty()) {
    seconds = parse_duration(arguments.duration);
    if (!seconds) {
      return refuse_usage(fmt::format("--for takes a duration like 30s or 5m, not \"{}\"",
                                      terminal_text(arguments.duration)));
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const Interrupt interrupt;
  bool has_answered = false;
  std::int64_t after = 0;
  while (!seconds || std::chrono::steady_clock::now() - begin < std::chrono::seconds(*seconds)) {
    const auto answer = ask(context, arguments.destination, after, has_answered);
    if (!answer) return fail(answer.error());
    if (const auto why = refusal_in(*answer)) return fail(*why);
    if (!std::exchange(has_answered, true)) {
      warn(fmt::format("following {} and what is below it; Ctrl-C ends it",
                       terminal_text(arguments.destination)));
    }
    for (const auto& exchange : array_in(*answer, "exchanges")) {
      show(context, exchange);
      after = std::max(after, number_in(exchange, "number"));
    }
    const bool is_behind = is_true_in(*answer, "is_rest_waiting");
    if (interrupt.pause(is_behind ? std::chrono::milliseconds{0} : kPause)) break;
  }
  return Exit::Done;
}

}  // namespace

void add_trace_verb(const Verb& root, CommandLine& line) {
  const Verb trace = add_verb(root, line, "trace",
                              "Follow what Postfix asks about a destination and how deliveries end",
                              run_trace, ConfigNeed::Address);
  trace.group(kDaemonGroup);
  trace.add_option("DEST", line.arguments.destination, "A destination; what is below it too")
      .required();
  trace.add_option("--for", line.arguments.duration, "End after this long; else with Ctrl-C");
}

}  // namespace app::ctl
