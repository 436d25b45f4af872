// learn: reads past mail logs and says what they teach of each destination. Needs no daemon, no
// configuration and no database.
#include "src/app/ctl_learn.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "src/app/ctl_table.h"
#include "src/app/ctl_verbs.h"
#include "src/app/log_reader.h"
#include "src/base/counted.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

// Says on a terminal how far it has come, at most a few times a second.
class Progress {
 public:
  explicit Progress(const base::Clock& clock)
      : clock_(clock), is_shown_(::isatty(STDERR_FILENO) == 1), next_(clock.steady()) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void advance(const std::string& name, const LogReader& reader, std::uint64_t lines) {
    constexpr std::uint64_t kLookEvery = 1024;
    constexpr std::chrono::milliseconds kSayEvery{250};
    if (!is_shown_ || lines % kLookEvery != 0 || clock_.steady() < next_) return;
    next_ = clock_.steady() + kSayEvery;
    const auto percent = reader.percent();
    const auto share = percent ? fmt::format("{} %, ", *percent) : std::string();
    fmt::print(stderr, "\r\033[K{}: {}{} lines", terminal_text(name), share, lines);
    std::fflush(stderr);
    is_dirty_ = true;
  }
  void clear() {
    if (is_dirty_) fmt::print(stderr, "\r\033[K");
    is_dirty_ = false;
  }

 private:
  const base::Clock& clock_;
  bool is_shown_;
  bool is_dirty_ = false;
  base::SteadyPoint next_;
};

struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t not_log = 0;  // not of the form of a mail log, or too long
};

base::Result<void> read_log(const std::string& name, jobs::Lessons& lessons, Counts& counts,
                            Progress& progress) {
  auto reader = LogReader::open(name);
  if (!reader) return base::Error{reader.error()};
  std::uint64_t lines = 0;
  while (const auto line = reader->next()) {
    progress.advance(name, *reader, ++lines);
    if (const auto parsed = wire::parse_log_line(*line)) {
      lessons.take(*parsed);
    } else {
      ++counts.not_log;
    }
  }
  if (name == kJournal && lines == 0 && reader->error().empty()) {
    warn(
        "the journal has no line of the mail facility that you may read; root and group "
        "systemd-journal may read all of it");
  }
  counts.lines += lines + reader->too_long();
  counts.not_log += reader->too_long();
  if (!reader->error().empty()) return base::Error{reader->error()};
  return {};
}

// Time of the first line that has one; a log without any is as good as newest.
base::Result<base::sys_seconds> first_time(const std::string& name, base::sys_seconds now) {
  constexpr int kLinesLookedAt = 1000;
  auto reader = LogReader::open(name);
  if (!reader) return base::Error{reader.error()};
  for (int i = 0; i < kLinesLookedAt; ++i) {
    const auto line = reader->next();
    if (!line) break;
    if (const auto parsed = wire::parse_log_line(*line)) return wire::to_time(parsed->stamp, now);
  }
  if (!reader->error().empty()) return base::Error{reader->error()};
  return base::sys_seconds::max();
}

// Rotated files from the oldest to the newest, whatever order the shell's `*` gives them: a line
// that ends one may belong to the first of the next. With a pipe among them, as given.
base::Result<std::vector<std::string>> in_order(const std::vector<std::string>& names,
                                                base::sys_seconds now) {
  std::vector<std::pair<base::sys_seconds, std::string>> dated;
  std::set<std::pair<dev_t, ino_t>> seen;
  std::vector<std::string> once;
  bool are_files = true;
  for (const auto& name : names) {
    struct stat status {};
    const bool is_file = name != kStandardInput && name != kJournal &&
                         ::stat(name.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    are_files = are_files && is_file;
    if (is_file && !seen.emplace(status.st_dev, status.st_ino).second) {
      warn(fmt::format("{}: named twice, read once", name));
      continue;
    }
    once.push_back(name);
  }
  if (!are_files || once.size() < 2) return once;
  for (const auto& name : once) {
    const auto time = first_time(name, now);
    if (!time) return base::Error{time.error()};
    dated.emplace_back(*time, name);
  }
  std::stable_sort(dated.begin(), dated.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::transform(dated.begin(), dated.end(), once.begin(),
                 [](const auto& each) { return each.second; });
  return once;
}

// "3 handshake-failure, 1 timeout".
std::string failures_cell(const jobs::Lesson& lesson) {
  std::vector<std::string> parts;
  for (const auto cause : model::kCauses) {
    const auto count = lesson.failures.at(static_cast<std::size_t>(cause));
    if (count > 0) parts.push_back(fmt::format("{} {}", count, model::to_word(cause)));
  }
  return parts.empty() ? "-" : base::join(parts, ", ");
}

Json to_json(const jobs::Lesson& lesson) {
  Json failures = Json::object();
  for (const auto cause : model::kCauses) {
    const auto count = lesson.failures.at(static_cast<std::size_t>(cause));
    if (count > 0) failures[std::string(model::to_word(cause))] = count;
  }
  Json passes = Json::array();
  for (const auto profile : jobs::find_passed_profiles(lesson)) passes.push_back(profile);
  return Json{{"destination", lesson.destination},
              {"deliveries", lesson.deliveries},
              {"tls", lesson.tls},
              {"trusted", lesson.trusted},
              {"verified", lesson.verified},
              {"clear", lesson.clear},
              {"unknown", lesson.unknown},
              {"passes", std::move(passes)},
              {"failures", std::move(failures)}};
}

void print_table(const std::vector<const jobs::Lesson*>& lessons) {
  Table table({"destination", "deliveries", "tls", "trusted", "verified", "clear", "unknown",
               "passes", "failures"});
  for (const auto* lesson : lessons) {
    const auto passed = jobs::find_passed_profiles(*lesson);
    table.add({lesson->destination, std::to_string(lesson->deliveries), std::to_string(lesson->tls),
               std::to_string(lesson->trusted), std::to_string(lesson->verified),
               std::to_string(lesson->clear), std::to_string(lesson->unknown),
               passed.empty() ? "-" : std::string(passed.back()), failures_cell(*lesson)});
  }
  fmt::print(stdout, "{}", table.render());
}

void warn_of_gaps(const jobs::Lessons& lessons, const Counts& counts) {
  if (lessons.unlogged() > 0) {
    warn(
        fmt::format("unknown deliveries: {}; nothing shows that Postfix logged TLS sessions "
                    "then; postconf -e smtp_tls_loglevel=1 && postfix reload makes the next log "
                    "tell",
                    lessons.unlogged()));
  }
  if (lessons.left_out() > 0) {
    warn(fmt::format(
        "left out: {} of destinations beyond the first {}",
        base::counted(lessons.left_out(), "delivery or failure", "deliveries and failures"),
        jobs::Lessons::kMostDestinations));
  }
  if (lessons.local() > 0) {
    warn(fmt::format("left out: {} on this host itself (content filters, mailboxes)",
                     base::counted(lessons.local(), "delivery", "deliveries")));
  }
  if (lessons.unusable() > 0) {
    warn(fmt::format("left out: {} to what is no domain",
                     base::counted(lessons.unusable(), "delivery", "deliveries")));
  }
  if (counts.not_log > 0) {
    warn(fmt::format("passed over: {} of {} not of the form of a mail log", counts.not_log,
                     base::counted(counts.lines, "line")));
  }
}

void print_lessons(const Context& context, const jobs::Lessons& lessons) {
  const auto ranked = lessons.ranked();
  if (context.is_json) {
    JsonArray array;
    for (const auto* lesson : ranked) array.add(to_json(*lesson));
    array.finish();
  } else if (ranked.empty()) {
    say("no deliveries by smtp(8) or lmtp(8) in it");
  } else {
    print_table(ranked);
  }
}

Exit run_learn(const Context& context, const Arguments& arguments) {
  const auto names = in_order(arguments.logs, context.now);
  if (!names) return fail(names.error());
  jobs::Lessons lessons;
  Counts counts;
  {
    const base::SystemClock clock;
    Progress progress(clock);
    for (const auto& name : *names) {
      const auto read = read_log(name, lessons, counts, progress);
      if (read) continue;
      progress.clear();
      return fail(read.error());
    }
  }
  if (counts.lines > 0 && counts.not_log == counts.lines) {
    return fail(
        fmt::format("none of the {} lines is of a mail log: \"Nov 22 03:12:47 host "
                    "postfix/smtp[123]: ...\", or the same with an RFC 3339 stamp",
                    counts.lines));
  }
  lessons.finish();
  Exit exit = Exit::Done;
  if (arguments.propose) {
    exit = print_proposals(context, lessons, arguments.at_least);
  } else {
    print_lessons(context, lessons);
  }
  if (exit == Exit::Done) warn_of_gaps(lessons, counts);
  return exit;
}

}  // namespace

void add_learn_verb(const Verb& root, CommandLine& line) {
  const Verb learn =
      add_verb(root, line, "learn",
               "Show what past mail logs teach of each destination: how many deliveries went in "
               "TLS, trusted, verified, in clear, and the strictest profile all would have passed",
               run_learn, ConfigNeed::Optional);
  learn.group(kAskingGroup);
  learn
      .add_option("LOG", line.arguments.logs,
                  "Files, also .gz, read from the oldest to the newest; - is standard input, "
                  "journald the journal")
      .required();
  learn.add_flag("--propose", line.arguments.propose,
                 "Print the `tlspolicyctl set` lines that this evidence supports");
  learn
      .add_option("--at-least", line.arguments.at_least,
                  "With --propose: only destinations with so many deliveries")
      .shows_default();
}

}  // namespace app::ctl
