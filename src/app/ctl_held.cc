// held: the mail that waits because of TLS, by destination: since when, until when, why, the row
// behind it, and the lines that try it again now. Needs Postfix and no daemon.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "src/app/ctl_explain_state.h"
#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_table.h"
#include "src/app/ctl_time.h"
#include "src/app/ctl_verbs.h"
#include "src/app/doctor_command.h"
#include "src/app/doctor_gather.h"
#include "src/app/doctor_ours.h"
#include "src/app/held_mail.h"
#include "src/app/held_routes.h"
#include "src/base/counted.h"
#include "src/base/shell_word.h"
#include "src/engine/judge.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

using Kind = model::Verdict::Kind;

// A queue of a million messages is read in well under a minute; one message of 50 000 recipients
// fits into a line.
constexpr doctor::CommandLimits kQueueLimits{std::size_t{64} << 20U, std::chrono::seconds{120}};
// Retry lines shown for one destination; --json has all.
constexpr std::size_t kRetriesShown = 10;

// One destination of one queue, ready to be shown.
struct Held {
  std::string instance;
  std::string destination;
  std::string next_hop;  // what Postfix asks us for
  held::Destination mail;
  std::string row;  // empty: none applies, or not known
  std::string profile;
  std::string note;   // what is to be said of the row
  std::string retry;  // the command, without the queue ID
};

struct Seen {
  std::vector<Held> held;
  std::size_t looked_at = 0;
  std::size_t messages = 0;
  std::size_t on_hold = 0;
  std::size_t left_out = 0;
  std::size_t unreadable = 0;
};

// Judges rows as `explain` does; without a policy.db it says so once and knows none.
class Judge {
 public:
  explicit Judge(const Context& context) : states_(context) {
    if (!states_.trouble().empty()) {
      warn(fmt::format("rows are judged by this host's clock and the configured mode: {}",
                       plain_sentence(states_.trouble())));
    }
    if (const auto note = states_.clock_note(); !note.empty()) warn(note);
    if (const auto note = states_.panic_note(); !note.empty()) warn(note);
    auto opened = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
    if (!opened) {
      warn(fmt::format("the rows behind the mail can't be shown: {}", opened.error()));
      return;
    }
    db_ = std::move(*opened);
    rows_.emplace(*db_);
  }

  void judge(Held& held) {
    if (!rows_) return;
    const model::Question question{model::normalise_key(held.next_hop), {}};
    const auto verdict = engine::judge(*rows_, question, states_.mode(), states_.wall(), nullptr);
    if (!rows_->trouble().empty()) {
      warn(fmt::format("the rows behind the mail can't be shown: {}",
                       plain_sentence(rows_->trouble())));
      rows_.reset();
      return;
    }
    if (verdict.kind == Kind::NotFound) {
      held.note = states_.mode() == model::RowMode::Observe ? "mode is observe: main.cf decides"
                                                            : "no row: main.cf decides";
      return;
    }
    held.row = verdict.row.destination;
    if (verdict.row.profile != nullptr) held.profile = verdict.row.profile->name;
    if (verdict.kind == Kind::Unknown) held.note = "the row can't be used; see explain";
  }

 private:
  KnownStates states_;  // for the daemon's clock and mode
  std::optional<store::PolicyDb> db_;
  std::optional<PolicyDbRows> rows_;
};

base::Result<held::Lifetimes> lifetimes_of(const doctor::Instance& instance) {
  const auto mail = held::parse_lifetime(instance.value("maximal_queue_lifetime"));
  const auto bounces = held::parse_lifetime(instance.value("bounce_queue_lifetime"));
  if (!mail || !bounces) {
    return base::Error{fmt::format(
        "{}: maximal_queue_lifetime is \"{}\" and bounce_queue_lifetime is \"{}\"; both must be "
        "times, such as 5d",
        instance.directory, instance.value("maximal_queue_lifetime"),
        instance.value("bounce_queue_lifetime"))};
  }
  return held::Lifetimes{*mail, *bounces};
}

std::vector<std::string> postqueue_of(const std::string& program,
                                      const doctor::Instance& instance) {
  std::vector<std::string> argv{program};
  if (instance.needs_directory) argv.insert(argv.end(), {"-c", instance.directory});
  return argv;
}

// As an admin would type it.
std::string retry_line(const doctor::Instance& instance) {
  std::string line = "postqueue";
  if (instance.needs_directory) line += " -c " + base::shell_word(instance.directory);
  return line + " -i";
}

// By destination and next-hop: a table may send some recipients of a domain elsewhere.
using ByHop = std::map<std::pair<std::string, std::string>, held::Destination>;

ByHop sort_by_hop(const doctor::Instance& instance, const held::Mail& mail, held::Routes& routes) {
  std::vector<std::string> names;
  for (const auto& [name, found] : mail.destinations()) names.push_back(name);
  if (const auto asked = routes.look_up(names); !asked) {
    warn(fmt::format("{}: {}; the next-hops and rows shown leave that table out",
                     instance.directory, asked.error()));
  }
  ByHop sorted;
  for (const auto& [name, found] : mail.destinations()) {
    const bool is_address = name.find('@') != std::string::npos;
    auto& sum = sorted[{is_address ? held::destination_of(name) : name, routes.next_hop_of(name)}];
    held::merge(sum, found);
  }
  return sorted;
}

void show_all(const doctor::Instance& instance, const ByHop& sorted, const held::Routes& routes,
              Judge& judge, Seen& seen) {
  for (const auto& [place, found] : sorted) {
    Held each{instance.name, place.first, place.second, found, {}, {}, {}, retry_line(instance)};
    judge.judge(each);
    if (routes.depends_on_sender()) {
      each.note += fmt::format("{}main.cf sends some senders' mail elsewhere",
                               each.note.empty() ? "" : "; ");
    }
    seen.held.push_back(std::move(each));
  }
}

base::Result<void> read_queue(const Context& context, const doctor::Instance& instance,
                              Judge& judge, Seen& seen) {
  const auto program = doctor::find_program("postqueue");
  if (program.empty()) return base::Error{"postqueue was not found in PATH or /usr/sbin"};
  const auto lifetimes = lifetimes_of(instance);
  if (!lifetimes) return base::Error{lifetimes.error()};
  held::Routes routes(instance, context.config);
  held::Mail mail(*lifetimes,
                  routes.has_tables() ? held::Mail::By::Address : held::Mail::By::Domain);
  auto argv = postqueue_of(program, instance);
  argv.emplace_back("-j");
  bool is_cut = false;
  const auto read = doctor::run_by_line(argv, kQueueLimits, [&](std::string_view line) {
    const auto message = wire::parse_queue_line(line);
    if (!message) {
      ++seen.unreadable;
      return true;
    }
    is_cut = !mail.add(*message);
    return !is_cut;
  });
  if (!read) return base::Error{fmt::format("{}: {}", instance.directory, read.error())};
  if (is_cut) {
    warn(fmt::format("{}: the queue holds more than {} messages; the others were not looked at",
                     instance.directory, held::Mail::kMostMessages));
  }
  show_all(instance, sort_by_hop(instance, mail, routes), routes, judge, seen);
  seen.looked_at += mail.looked_at();
  seen.messages += mail.messages();
  seen.on_hold += mail.on_hold();
  seen.left_out += mail.left_out();
  return {};
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const Held& held, base::sys_seconds now) {
  Json causes = Json::object();
  for (const auto& [cause, count] : held.mail.causes) causes[std::string(to_word(cause))] = count;
  Json retry = Json::array();
  for (const auto& id : held.mail.ids) retry.push_back(fmt::format("{} {}", held.retry, id));
  const auto age = now.time_since_epoch().count() - held.mail.oldest;
  return Json{{"destination", held.destination},
              {"messages", held.mail.messages},
              {"recipients", held.mail.recipients},
              {"oldest", held.mail.oldest},
              {"age", std::max<std::int64_t>(age, 0)},
              {"bounces_at", held.mail.bounces_at},
              {"cause", to_word(held.mail.main_cause())},
              {"causes", std::move(causes)},
              {"reason", held.mail.reason},
              {"row", or_null(held.row)},
              {"profile", or_null(held.profile)},
              {"note", or_null(held.note)},
              {"next_hop", held.next_hop},
              {"instance", held.instance},
              {"retry", std::move(retry)}};
}

std::string row_cell(const Held& held) {
  if (held.row.empty()) return held.note.empty() ? "?" : held.note;
  return fmt::format("{} ({}){}", held.row, held.profile.empty() ? "?" : held.profile,
                     held.note.empty() ? "" : ": " + held.note);
}

std::string bounce_cell(std::int64_t at, base::sys_seconds now) {
  return at <= now.time_since_epoch().count() ? "with the next try" : describe_distance(at, now);
}

void print_retries(const Held& held) {
  say("\n" + terminal_text(fmt::format("{}: to try again now",
                                       held.destination.empty() ? "-" : held.destination)));
  const auto shown = std::min(held.mail.ids.size(), kRetriesShown);
  for (std::size_t i = 0; i < shown; ++i) {
    say(terminal_text(fmt::format("  {} {}", held.retry, held.mail.ids[i])));
  }
  if (shown < held.mail.ids.size()) {
    say(fmt::format("  ... and {} more, which --json lists", held.mail.ids.size() - shown));
  }
}

void print_as_text(const Seen& seen, base::sys_seconds now) {
  if (seen.held.empty()) {
    say(fmt::format("{} looked at: none waits because of TLS.",
                    base::counted(seen.looked_at, "message")));
    return;
  }
  const bool has_many = std::any_of(seen.held.begin(), seen.held.end(), [&](const Held& each) {
    return each.instance != seen.held.front().instance;
  });
  std::vector<std::string> names{"destination", "messages", "recipients", "oldest",
                                 "bounces",     "cause",    "row"};
  if (has_many) names.emplace_back("instance");
  Table table(names);
  for (const Held& each : seen.held) {
    std::vector<std::string> cells{each.destination.empty() ? "-" : each.destination,
                                   fmt::format("{}", each.mail.messages),
                                   fmt::format("{}", each.mail.recipients),
                                   describe_distance(each.mail.oldest, now),
                                   bounce_cell(each.mail.bounces_at, now),
                                   std::string(to_word(each.mail.main_cause())),
                                   row_cell(each)};
    if (has_many) cells.push_back(each.instance);
    table.add(std::move(cells));
  }
  fmt::print(stdout, "{}", table.render());
  for (const Held& each : seen.held) print_retries(each);
}

void warn_of_gaps(const Seen& seen) {
  if (seen.unreadable > 0) {
    warn(fmt::format("{} of postqueue -j could not be read: left out",
                     base::counted(seen.unreadable, "line")));
  }
  if (seen.left_out > 0) {
    warn(fmt::format("left out: {}, beyond {} destinations",
                     base::counted(seen.left_out, "recipient"), held::Mail::kMostDestinations));
  }
  if (seen.on_hold > 0) {
    warn(fmt::format("on hold, and to be released by you: {} that failed by TLS; postsuper -H ID",
                     base::counted(seen.on_hold, "more message")));
  }
}

Exit run_held(const Context& context, const Arguments& arguments) {
  const auto host = doctor::read_instances(arguments.postfix_configs);
  if (!host) return fail(host.error());
  Judge judge(context);
  Seen seen;
  for (const auto& instance : host->instances) {
    if (const auto read = read_queue(context, instance, judge, seen); !read)
      return fail(read.error());
  }
  for (const auto& trouble : host->troubles) warn(trouble);
  warn_of_gaps(seen);
  if (context.is_json) {
    JsonArray array;
    for (const Held& each : seen.held) array.add(to_json(each, context.now));
    array.finish();
  } else {
    print_as_text(seen, context.now);
  }
  if (!host->troubles.empty()) return Exit::Failed;
  return seen.held.empty() && seen.left_out == 0 ? Exit::Done : Exit::NotWell;
}

}  // namespace

void add_held_verb(const Verb& root, CommandLine& line) {
  const Verb verb =
      add_verb(root, line, "held",
               "Show the mail that waits because of TLS, and the lines that try it again now",
               run_held, ConfigNeed::Address)
          .group(kAskingGroup);
  add_postfix_option(verb, line);
}

}  // namespace app::ctl
