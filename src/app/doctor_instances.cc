// The part of the gatherer that asks Postfix's own commands for its configuration.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/app/doctor_command.h"
#include "src/app/doctor_gather.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

constexpr std::size_t kMostInstances = 100;
// Programs whose -o options matter here; the others' are not worth a postconf each.
constexpr std::array<std::string_view, 6> kPrograms{
    "smtp", "lmtp", "smtpd", "cleanup", "trivial-rewrite", "proxymap"};

class Postconf {
 public:
  explicit Postconf(std::string program) : program_(std::move(program)) {}

  base::Result<std::string> run(const std::string& directory,
                                const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{program_};
    if (!directory.empty()) argv.insert(argv.end(), {"-c", directory});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program(argv);
  }

 private:
  std::string program_;
};

// postconf(1): "-" means y below compatibility level 1, n from there on [F 7.1].
bool is_chrooted(const tlsmap::MasterService& service, const Instance& instance) {
  if (service.chroot != "-") return service.chroot == "y";
  const auto level = instance.value("compatibility_level");
  const auto major = base::parse_number<unsigned>(level.substr(0, level.find('.')));
  return major.value_or(0) < 1;
}

// What holds for a service with -o options, as postconf works it out: they may be used in the
// values of others.
base::Result<tlsmap::Parameters> read_effective(const Postconf& postconf, const Instance& instance,
                                                const tlsmap::MasterService& service) {
  std::vector<std::string> arguments{"-x"};
  for (const auto& [name, value] : service.overrides) {
    arguments.insert(arguments.end(), {"-o", fmt::format("{}={}", name, value)});
  }
  const auto output = postconf.run(instance.directory, arguments);
  if (!output) return base::Error{output.error()};
  return tlsmap::parse_parameters(*output);
}

base::Result<void> read_services(const Postconf& postconf, Instance& instance) {
  const auto fields = postconf.run(instance.directory, {"-F"});
  if (!fields) return base::Error{fields.error()};
  const auto overrides = postconf.run(instance.directory, {"-P"});
  if (!overrides) return base::Error{overrides.error()};
  for (auto& master : tlsmap::parse_master(*fields, *overrides)) {
    Service service;
    service.is_chrooted = is_chrooted(master, instance);
    const bool matters =
        std::find(kPrograms.begin(), kPrograms.end(), master.program) != kPrograms.end();
    if (matters && !master.overrides.empty()) {
      auto effective = read_effective(postconf, instance, master);
      if (!effective) return base::Error{effective.error()};
      service.effective = std::move(*effective);
    }
    service.master = std::move(master);
    instance.services.push_back(std::move(service));
  }
  return {};
}

base::Result<Instance> read_instance(const Postconf& postconf, tlsmap::ListedInstance listed,
                                     std::string_view default_directory) {
  Instance instance;
  instance.name = std::move(listed.name);
  instance.directory = std::move(listed.directory);
  instance.needs_directory = instance.directory != default_directory;
  const auto all = postconf.run(instance.directory, {"-x"});
  if (!all) return base::Error{all.error()};
  instance.parameters = tlsmap::parse_parameters(*all);
  const auto written = postconf.run(instance.directory, {"-n"});
  if (!written) return base::Error{written.error()};
  instance.written = tlsmap::parse_parameters(*written);
  // The version built in: main.cf may claim another one.
  const auto version = postconf.run({}, {"-d", "-h", "mail_version"});
  if (!version) return base::Error{version.error()};
  instance.version_text = base::printable(base::trim(*version), 40);
  const auto parsed = tlsmap::parse_mail_version(instance.version_text);
  if (!parsed) {
    return base::Error{fmt::format("mail_version is \"{}\"", instance.version_text)};
  }
  instance.version = *parsed;
  if (auto services = read_services(postconf, instance); !services) {
    return base::Error{services.error()};
  }
  if (instance.name.empty()) {
    const auto name = instance.value("multi_instance_name");
    instance.name = name.empty() ? instance.directory : std::string(name);
  }
  return instance;
}

std::vector<tlsmap::ListedInstance> list_instances(const std::vector<std::string>& directories,
                                                   const std::string& default_directory) {
  std::vector<tlsmap::ListedInstance> listed;
  listed.reserve(directories.size());
  for (const auto& directory : directories) listed.push_back({"", directory});
  if (!listed.empty()) return listed;
  const auto postmulti = find_program("postmulti");
  if (!postmulti.empty()) {
    if (const auto output = run_program({postmulti, "-l"})) {
      listed = tlsmap::parse_instances(*output);
    }
  }
  if (listed.empty()) listed.push_back({"-", default_directory});
  if (listed.size() > kMostInstances) listed.resize(kMostInstances);
  return listed;
}

}  // namespace

base::Result<PostfixHost> read_instances(const std::vector<std::string>& directories) {
  const auto program = find_program("postconf");
  if (program.empty()) {
    return base::Error{
        "postconf was not found in PATH or /usr/sbin; is Postfix installed on this host?"};
  }
  const Postconf postconf(program);
  const auto printed = postconf.run({}, {"-d", "-h", "config_directory"});
  if (!printed) return base::Error{printed.error()};
  const std::string default_directory(base::trim(*printed));
  PostfixHost host;
  for (auto& listed : list_instances(directories, default_directory)) {
    const auto directory = listed.directory;
    auto instance = read_instance(postconf, std::move(listed), default_directory);
    if (instance) {
      host.instances.push_back(std::move(*instance));
    } else {
      host.troubles.push_back(fmt::format("{}: {}", directory, instance.error()));
    }
  }
  if (host.instances.empty()) return base::Error{base::join(host.troubles, "; ")};
  return host;
}

}  // namespace app::doctor
