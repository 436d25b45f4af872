// tlspolicyd: reads its command line and configuration, binds its sockets, gives up root, and
// becomes the parent of its roles; or is one of them, by its name.
#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <string>

#include "src/app/child.h"
#include "src/app/config.h"
#include "src/app/libraries.h"
#include "src/app/listeners.h"
#include "src/app/parent.h"
#include "src/app/privileges.h"
#include "src/app/role.h"
#include "src/app/sample_config.h"
#include "src/app/service_manager.h"
#include "src/app/version.h"
#include "src/base/log.h"

namespace {

int run_role(app::Role role) {
  app::become_role(role);
  base::start_log(fmt::format("tlspolicyd/{}", app::to_word(role)), base::LogLevel::Info);
  switch (role) {
    case app::Role::Answer:
      return app::run_answer();
    case app::Role::Store:
      return app::run_store();
    case app::Role::Ingest:
      return app::run_ingest();
    case app::Role::Net:
      return app::run_net();
    case app::Role::Http:
      return app::run_http();
  }
  return EX_SOFTWARE;
}

// Prints what is wrong; true where the configuration may be used.
bool report(const app::ParsedConfig& parsed) {
  for (const std::string& error : parsed.errors) base::log_error("{}", error);
  return parsed.errors.empty();
}

int serve(const std::string& file, std::string text, app::ParsedConfig parsed,
          const app::SocketFiles& files) {
  std::signal(SIGPIPE, SIG_IGN);
  app::ServiceManager manager;
  base::set_log_level(parsed.config.log_level);
  for (const std::string& old : app::find_old(app::libraries_in_use()))
    base::log_warning("{}", old);
  app::raise_file_limit();
  app::forbid_core_dumps();
  auto listeners = app::bind_listeners(parsed.config, files, app::take_passed_sockets());
  if (!listeners) {
    base::log_error("{}", listeners.error());
    return EX_UNAVAILABLE;
  }
  if (const auto dropped = app::drop_privileges(parsed.config); !dropped) {
    base::log_error("{}", dropped.error());
    return EX_CONFIG;
  }
  return app::run_parent({file, std::move(text), std::move(parsed), std::move(*listeners)},
                         manager);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto role = app::parse_role(argc > 0 ? argv[0] : "")) return run_role(*role);

  CLI::App options("tlspolicyd: TLS policies for Postfix, from SQLite, live");
  std::string file(app::kDefaultConfigFile);
  bool check_only = false;
  bool prints_sample = false;
  bool show_version = false;
  options.add_option("--config", file, "The configuration file")->capture_default_str();
  options.add_flag("--check-config", check_only, "Read the configuration, say what is wrong, end");
  options.add_flag("--print-config", prints_sample,
                   "Print a configuration file with every key, all of it commented out");
  options.add_flag("--version", show_version,
                   "Show the versions of this program and its libraries");
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return options.exit(error) == 0 ? 0 : EX_USAGE;
  }
  if (show_version) {
    fmt::print("tlspolicyd {} ({})\n", app::kVersion, app::list(app::libraries_in_use()));
    return 0;
  }
  if (prints_sample) {
    fmt::print("{}", app::sample_config());
    return 0;
  }
  base::start_log("tlspolicyd", base::LogLevel::Info);
  auto text = app::read_config_file(file);
  if (!text) {
    base::log_error("{}", text.error());
    return EX_CONFIG;
  }
  app::ParsedConfig parsed = app::parse_config(*text, file);
  if (!report(parsed)) return EX_CONFIG;
  const auto files = app::find_socket_files(parsed.config);
  if (!files) {
    base::log_error("{}: {}", file, files.error());
    return EX_CONFIG;
  }
  if (check_only) {
    fmt::print("{}: OK\n", file);
    return 0;
  }
  return serve(file, std::move(*text), std::move(parsed), *files);
}
