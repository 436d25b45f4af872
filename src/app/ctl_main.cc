// tlspolicyctl: the admin's hands on policy.db and on the running daemon (DESIGN section 5, "CLI").
// Never asks back; ends with 0 done, 1 the thing asked about is not well, 2 usage, 3 not carried
// out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "src/app/ctl_verbs.h"
#include "src/app/version.h"

namespace app::ctl {
namespace {

struct General {
  std::string config_file{kDefaultConfigFile};
  bool is_json = false;
};

void describe(CLI::App& root, General& general) {
  root.description(
      "Shows and changes which TLS level Postfix must use for which destination, and asks the "
      "daemon about it.");
  root.footer(
      "Exit status: 0 done, 1 the thing asked about is not well, 2 wrong usage, 3 could not be "
      "carried out.\nEach verb explains itself: tlspolicyctl VERB --help");
  root.set_version_flag("--version", fmt::format("tlspolicyctl {}", kVersion));
  root.add_option("--config", general.config_file, "The daemon's configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  root.add_flag("--json", general.is_json, "Answer with data instead of text");
  // --config and --json may stand after the verb too.
  root.fallthrough();
  root.require_subcommand(1);
}

int finish(Exit exit) {
  // A listing that didn't reach its reader is not done.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    exit = fail("the output could not be written");
  }
  return static_cast<int>(exit);
}

// CLI11 says only that a subcommand is missing, whatever stands in its place.
std::string name_usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const auto unknown = root.remaining(/*recurse=*/true);
  if (error.get_name() != "RequiredError" || unknown.empty()) return error.what();
  return fmt::format("\"{}\" is not a verb that I know", unknown.front());
}

void add_verbs(const Verb& root, CommandLine& line) {
  add_outbound_verbs(root, line);
  add_inbound_verbs(root, line);
  add_import_verb(root, line);
  add_export_verb(root, line);
  add_profile_verbs(root, line);
  add_submission_verbs(root, line);
  add_explain_verb(root, line);
  add_query_verb(root, line);
  add_probe_verb(root, line);
  add_watch_verb(root, line);
  add_learn_verb(root, line);
  add_doctor_verb(root, line);
  add_held_verb(root, line);
  add_can_receive_verb(root, line);
  add_check_forwards_verb(root, line);
  add_daemon_verbs(root, line);
  add_state_verbs(root, line);
  add_decisions_verb(root, line);
  add_report_verb(root, line);
  add_trace_verb(root, line);
  add_database_verbs(root, line);
}

int run_command(int argc, char** argv) {
  General general;
  CommandLine line;
  CLI::App root;
  root.name("tlspolicyctl");
  describe(root, general);
  add_verbs(Verb(root), line);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error);  // --help, --version
    return static_cast<int>(refuse_usage(
        fmt::format("{}; tlspolicyctl --help says more", name_usage_error(root, error))));
  }
  auto config = load_config(general.config_file, line.need);
  if (!config) return finish(Exit::Failed);
  const Context context{std::move(*config), general.config_file, general.is_json,
                        base::SystemClock().now()};
  return finish(line.run(context, line.arguments));
}

}  // namespace

Verb add_verb(const Verb& parent, CommandLine& line, const char* name, const char* meaning, Run run,
              ConfigNeed need) {
  const Verb verb = parent.add_subcommand(name, meaning);
  verb.when_given([&line, run, need] {
    line.run = run;
    line.need = need;
  });
  return verb;
}

void add_postfix_option(const Verb& verb, CommandLine& line) {
  verb.add_option("--postfix-config", line.arguments.postfix_configs,
                  "A Postfix configuration directory, several times for several instances; "
                  "without it all that postmulti lists")
      .type_name("DIR")
      .takes_one_value();
}

}  // namespace app::ctl

int main(int argc, char** argv) {
  try {
    return app::ctl::run_command(argc, argv);
  } catch (const std::exception& error) {
    // fmt throws when standard output is gone.
    std::fputs("tlspolicyctl: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return static_cast<int>(app::ctl::Exit::Failed);
  }
}
