// status and accept: what the running daemon says of itself, and the one thing that it waits for.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "src/app/ctl_control.h"
#include "src/app/ctl_interrupt.h"
#include "src/app/ctl_overview.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/base/counted.h"

namespace app::ctl {
namespace {

constexpr std::chrono::milliseconds kStatusPatience{2000};
// A million rows take a second; a busy disk may take many.
constexpr std::chrono::milliseconds kAcceptPatience{60'000};
constexpr std::chrono::milliseconds kWatchEvery{2000};

constexpr std::string_view kNoDigest = "0000000000000000";

std::string since(std::int64_t at, base::sys_seconds now) {
  return at == 0 ? "unknown" : fmt::format("{} ({})", iso_time_of(at), describe_distance(at, now));
}

// An admin's panic, where one sets the mode now; else empty.
Json find_panic(const Json& status, base::sys_seconds now) {
  const auto panic = object_in(object_in(status, "feedback"), "panic");
  const bool is_over = number_in(panic, "until") <= now.time_since_epoch().count();
  return is_over ? Json::object() : panic;
}

// That which holds: of a panic, else the configured one.
std::string mode_now(const Json& status, base::sys_seconds now) {
  const auto panic = find_panic(status, now);
  return text_in(panic.empty() ? status : panic, "mode");
}

void add_database(Table& table, const Json& status, base::sys_seconds now) {
  const auto database = object_in(status, "policy_db");
  table.add({"policy.db", text_in(database, "path")});
  const auto state = text_in(database, "state");
  const auto code = state == "trouble" ? text_in(database, "code") : std::string();
  table.add({"  state",
             fmt::format("{}{}, since {}", state, code.empty() ? "" : fmt::format(" ({})", code),
                         since(number_in(database, "since"), now))});
}

void add_image(Table& table, const Json& status, base::sys_seconds now) {
  const auto image = object_in(status, "image");
  if (image.empty()) {
    const bool observes = mode_now(status, now) == model::to_word(model::RowMode::Observe);
    table.add({"policy", observes ? "none yet: every answer is NOTFOUND (mode observe), and "
                                    "main.cf decides"
                                  : "none yet: every answer is TEMP and mail waits"});
    return;
  }
  table.add({"policy", fmt::format("{}, {} of them faulty, {}",
                                   base::counted(number_in(image, "rows"), "row"),
                                   number_in(image, "faulty_rows"),
                                   base::counted(number_in(image, "profiles"), "profile"))});
  table.add(
      {"  mail rules", fmt::format("{} inbound, {} submission", number_in(image, "inbound_rules"),
                                   number_in(image, "submission_rules"))});
  table.add({"  built", since(number_in(image, "built_at"), now)});
  table.add({"  digest", text_in(image, "digest")});
}

void add_answer(Table& table, const Json& status) {
  const auto answer = object_in(status, "answer");
  if (answer.empty()) {
    table.add({"answer", "not reported"});
    return;
  }
  table.add({"answer", fmt::format("pid {}, {}", number_in(answer, "pid"),
                                   base::counted(number_in(answer, "connections"), "connection"))});
  table.add({"  lookups",
             fmt::format("{}: {} OK, {} NOTFOUND, {} TEMP, {} PERM", number_in(answer, "lookups"),
                         number_in(answer, "ok"), number_in(answer, "not_found"),
                         number_in(answer, "temp"), number_in(answer, "perm"))});
  table.add({"  malformed", base::counted(number_in(answer, "malformed"), "request")});
  table.add({"  policyd", base::counted(number_in(answer, "policyd"), "request")});
  const auto serves = text_in(answer, "digest");
  const auto published = text_in(object_in(status, "image"), "digest");
  if (!published.empty() && serves != published) {
    table.add({"  serves", serves == kNoDigest
                               ? std::string("no policy yet")
                               : fmt::format("another policy than the one published: {}", serves)});
  }
}

void add_net(Table& table, const Json& status) {
  const auto net = object_in(status, "net");
  if (net.empty()) return;
  table.add({"net", fmt::format("pid {}, {} watched", number_in(net, "pid"),
                                base::counted(number_in(net, "watched"), "destination"))});
  table.add(
      {"  checks", fmt::format("{}, {} of them put off; {} under way", number_in(net, "checks"),
                               number_in(net, "put_off"), number_in(net, "waiting"))});
  table.add({"  probes", fmt::format("{}, {} refused; {} open",
                                     base::counted(number_in(net, "probes"), "connection"),
                                     number_in(net, "refused"), number_in(net, "open"))});
}

// By kind where there were any: the log has a line for each.
void add_alarms(Table& table, const Json& status) {
  const auto raised = object_in(status, "alarms_raised");
  if (raised.empty()) return;  // a daemon that counts none
  std::string kinds;
  for (const auto& [kind, count] : raised.items()) {
    if (kind == "total" || !count.is_number_integer() || count == 0) continue;
    kinds += fmt::format("{}{} {}", kinds.empty() ? ": " : ", ", count.get<std::int64_t>(), kind);
  }
  table.add({"alarms", fmt::format("{} raised{}", number_in(raised, "total"), kinds)});
}

// What isn't well, each with what to do: a panic, and what the daemon says itself.
std::vector<std::string> list_troubles(const Json& status, base::sys_seconds now) {
  std::vector<std::string> troubles;
  if (const auto panic = find_panic(status, now); !panic.empty()) {
    troubles.push_back(fmt::format(
        "An admin's panic has the daemon in mode {} until {}; tlspolicyctl panic off ends it.",
        text_in(panic, "mode"), since(number_in(panic, "until"), now)));
  }
  for (const auto& trouble : array_in(status, "troubles")) {
    if (trouble.is_string()) troubles.push_back(trouble.get<std::string>());
  }
  if (const auto more = number_in(status, "troubles_left_out"); more > 0) {
    troubles.push_back(
        fmt::format("{} more; tlspolicyctl status --json lists the first 1,000 faulty rows, "
                    "tlspolicyctl explain says why of one.",
                    more));
  }
  return troubles;
}

// An admin's panic is no fault, and nothing that one may overlook.
const char* headline_of(const Json& status, base::sys_seconds now) {
  if (!is_true_in(status, "ok")) return "not well";
  return find_panic(status, now).empty() ? "all is well" : "well, but for an admin's panic";
}

void print_status(const Json& status, base::sys_seconds now) {
  Table table;
  table.add({"tlspolicyd", fmt::format("{}: version {}, mode {}, pid {}", headline_of(status, now),
                                       text_in(status, "version"), mode_now(status, now),
                                       number_in(status, "pid"))});
  add_database(table, status, now);
  add_image(table, status, now);
  add_answer(table, status);
  add_net(table, status);
  add_alarms(table, status);
  fmt::print(stdout, "{}", table.render());
  const auto troubles = list_troubles(status, now);
  if (!troubles.empty()) say("\nTo look at:");
  for (const auto& trouble : troubles) say("  " + terminal_text(trouble));
  print_overview(object_in(status, "overview"), now);
}

Exit show_status(const Context& context, base::sys_seconds now) {
  const auto status = ask_control(context.config.control_socket, "status", kStatusPatience);
  if (!status) return fail(status.error());
  if (context.is_json) {
    print_json(*status);
  } else {
    print_status(*status, now);
  }
  return is_true_in(*status, "ok") ? Exit::Done : Exit::NotWell;
}

// A daemon that is away for a moment, or for good, ends nothing: that is what one watches for.
Exit watch_status(const Context& context) {
  constexpr std::string_view kClear = "\x1b[H\x1b[2J\x1b[3J";
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const Interrupt interrupt;
  for (bool is_first = true;; is_first = false) {
    if (is_terminal) fmt::print(stdout, "{}", kClear);
    if (!is_terminal && !is_first && !context.is_json) say("");
    const auto exit = show_status(context, base::SystemClock().now());
    if (std::fflush(stdout) != 0 || interrupt.pause(kWatchEvery)) return exit;
  }
}

Exit run_status(const Context& context, const Arguments& arguments) {
  return arguments.goes_on ? watch_status(context) : show_status(context, context.now);
}

Exit run_accept(const Context& context, const Arguments& /*arguments*/) {
  const auto answer = ask_control(context.config.control_socket, "accept", kAcceptPatience);
  if (!answer) return fail(answer.error());
  if (!is_true_in(*answer, "ok")) {
    const auto why = text_in(*answer, "error");
    return fail(fmt::format("not accepted: {}", why.empty() ? "the daemon doesn't say why" : why));
  }
  if (context.is_json) {
    print_json(*answer);
    return Exit::Done;
  }
  say(terminal_text(text_in(*answer, "text")));
  return Exit::Done;
}

}  // namespace

void add_daemon_verbs(const Verb& root, CommandLine& line) {
  const Verb status = add_verb(root, line, "status",
                               "Show whether the daemon is well, what to do where not, what is "
                               "downgraded, who fails, and how mail went",
                               run_status, ConfigNeed::Address);
  status.group(kDaemonGroup);
  status.add_flag("--watch", line.arguments.goes_on, "Again every two seconds, until Ctrl-C");
  add_verb(root, line, "accept", "Publish the policy that waits because it drops or weakens much",
           run_accept, ConfigNeed::Address)
      .group(kDaemonGroup);
}

}  // namespace app::ctl
