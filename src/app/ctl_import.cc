// import: rows from a Postfix table or a CSV file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "src/app/ctl_export.h"
#include "src/app/ctl_verbs.h"
#include "src/app/import_report.h"
#include "src/app/profile_settings.h"
#include "src/base/handle.h"
#include "src/engine/publication.h"
#include "src/store/row_import.h"

namespace app::ctl {
namespace {

using store::PolicyDb;
using store::RowImport;

// Some million lines; what is read stays in memory until it is written.
constexpr std::size_t kLargestFile = 256U << 20U;

// "-" is standard input.
base::Result<std::string> read_file(const std::string& name) {
  const bool is_input = name == "-";
  const base::UniqueFd opened(is_input ? -1 : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!is_input && !opened) {
    return base::Error{fmt::format("{}: {}", name, std::strerror(errno))};
  }
  std::string text;
  std::array<char, 1U << 16U> buffer{};
  for (;;) {
    const auto got = ::read(is_input ? STDIN_FILENO : opened.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::Error{fmt::format("{}: {}", name, std::strerror(errno))};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestFile) {
      return base::Error{fmt::format("{}: it is larger than {} MiB; import it in parts", name,
                                     kLargestFile >> 20U)};
    }
  }
}

ImportFile parse_file(const std::string& text, const std::string& format) {
  const bool is_csv = format.empty() ? detect_format(text) == FileFormat::Csv : format == "csv";
  return is_csv ? read_csv(text) : read_tls_policy(text);
}

base::Result<ImportPlan> make_plan(RowImport& import, ImportFile& file, ProfileBook& profiles,
                                   const PlanOptions& options) {
  ImportPlanner planner(file, profiles, options);
  auto walked = import.walk([&](store::OutboundRow&& row) { planner.meet(std::move(row)); });
  if (!walked) return base::Error{plain_sentence(walked.error())};
  return planner.finish();
}

// Rows that the database refuses against all expectation are added to what is refused; any other
// trouble is the error.
base::Result<void> write_changes(RowImport& import, ImportFile& file, const ImportPlan& plan,
                                 const ProfileBook& profiles, bool shows_progress) {
  for (const auto& profile : profiles.made()) {
    auto settings = settings_of(profile);
    settings.push_back({"comment", "made by tlspolicyctl import"});
    if (auto added = import.add_profile(profile.name, settings); !added) {
      return base::Error{
          fmt::format("profile {}: {}", profile.name, plain_sentence(added.error()))};
    }
  }
  Progress progress(shows_progress, plan.changes.size());
  for (const auto& change : plan.changes) {
    const bool is_removal = change.op == RowChange::Op::Remove;
    const auto& row = is_removal ? *change.before : file.rows[change.row].row;
    const auto done = is_removal ? import.remove(row.destination) : import.put(row);
    if (!done) {
      const auto why = fmt::format("{}: {}", row.destination, plain_sentence(done.error()));
      if (!import.is_usable() || is_removal) return base::Error{why};
      file.refused.add(file.rows[change.row].line, why);
    }
    progress.count_one();
  }
  return {};
}

Exit refuse_lines(const Arguments& arguments, const ImportFile& file) {
  say_refused(arguments.file, file.refused);
  return fail(fmt::format("{}: {} {} can't be taken; nothing was imported", arguments.file,
                          file.refused.count(), file.refused.count() == 1 ? "line" : "lines"));
}

Exit show_dry_run(const Context& context, const Arguments& arguments, const ImportReport& report) {
  if (context.is_json) {
    print_json_report(report);
  } else {
    print_diff(report);
    say(fmt::format("{}; nothing was written (--dry-run)", summary_of(report)));
  }
  if (report.file.refused.count() == 0) return Exit::Done;
  say_refused(arguments.file, report.file.refused);
  warn(fmt::format("{}: {} {} can't be taken, so an import would be refused", arguments.file,
                   report.file.refused.count(),
                   report.file.refused.count() == 1 ? "line" : "lines"));
  return Exit::NotWell;
}

Exit write_plan(const Context& context, const Arguments& arguments, RowImport& import,
                ImportFile& file, const ImportReport& report) {
  const bool shows_progress = arguments.shows_progress || ::isatty(STDERR_FILENO) == 1;
  const auto written = write_changes(import, file, report.plan, report.profiles, shows_progress);
  if (!written) {
    return fail(fmt::format("{}: nothing was imported: {}", arguments.file, written.error()));
  }
  if (file.refused.count() > 0) return refuse_lines(arguments, file);
  if (auto committed = import.commit(); !committed) {
    return fail(fmt::format("{}: nothing was imported: {}", arguments.file,
                            plain_sentence(committed.error())));
  }
  if (context.is_json) {
    print_json_report(report);
  } else {
    say(summary_of(report));
    if (report.plan.removed + report.plan.changed > engine::kHeldRows) {
      say(fmt::format(
          "if more than {} % of the rows are dropped or weakened, the daemon waits for: "
          "tlspolicyctl accept (tlspolicyctl status tells)",
          engine::kHeldPercent));
    }
  }
  return Exit::Done;
}

Exit run_import(const Context& context, const Arguments& arguments) {
  const auto text = read_file(arguments.file);
  if (!text) return fail(text.error());
  auto file = parse_file(*text, arguments.format);
  if (file.is_empty && arguments.is_sync) {
    return fail(
        fmt::format("{}: it is empty, and with --sync every row would be removed; nothing "
                    "was changed",
                    arguments.file));
  }

  // A file that is refused already is held against the database all the same, to name every line.
  const bool writes = !arguments.is_dry_run && file.refused.count() == 0;
  auto db =
      open_policy_db(context, writes ? PolicyDb::Access::ReadWrite : PolicyDb::Access::ReadOnly);
  if (!db) return fail(db.error());
  auto import = RowImport::begin(*db, writes ? RowImport::Kind::Write : RowImport::Kind::Look);
  if (!import) return fail(plain_sentence(import.error()));
  auto found = import->profiles();
  if (!found) return fail(plain_sentence(found.error()));
  ProfileBook profiles(std::move(*found));
  const auto plan =
      make_plan(*import, file, profiles,
                {arguments.is_sync, context.now, table_version(context.config.postfix_version)});
  if (!plan) return fail(plan.error());
  say_notes(arguments.file, file.notes);
  const ImportReport report{file, *plan, profiles, arguments.is_dry_run};
  if (arguments.is_dry_run) return show_dry_run(context, arguments, report);
  if (file.refused.count() > 0) return refuse_lines(arguments, file);
  return write_plan(context, arguments, *import, file, report);
}

}  // namespace

void add_import_verb(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb verb =
      add_verb(root, line, "import", "Take rows from a Postfix table or a CSV file, all or none",
               run_import);
  verb.group(kPolicyGroup);
  verb.add_option("FILE", to.file,
                  "The source of a table for smtp_tls_policy_maps, or CSV with the columns of "
                  "table outbound; - for standard input")
      .required();
  verb.add_option("--format", to.format, "tls_policy or csv; told from the content if not given")
      .one_of({"tls_policy", "csv"});
  verb.add_flag("--dry-run", to.is_dry_run, "Show what would change, and write nothing");
  verb.add_flag("--sync", to.is_sync, "Also remove the rows that the file lacks");
  verb.add_flag("--progress", to.shows_progress,
                "Say how far it got, also where standard error is no terminal");
}

}  // namespace app::ctl
