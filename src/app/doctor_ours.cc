#include "src/app/doctor_ours.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/shell_word.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

using model::Fallback;
using model::Level;

// Names of other products that we answer too: a table of theirs is ours only at our own address.
bool is_own_name(std::string_view map) {
  return tlsmap::parse_map_name(map) && !map.starts_with("QUERY") && !map.starts_with("postfix");
}

bool is_same_inet(const Listen& listen, const tlsmap::Endpoint& endpoint) {
  if (endpoint.is_unix || fmt::format("{}", listen.port) != endpoint.port) return false;
  const bool is_any = listen.host == "0.0.0.0" || listen.host == "::";
  return is_any || listen.host == endpoint.host;
}

template <class Counts>
Demand count_uses(const OurSide& ours, Counts counts) {
  Demand demand;
  if (!ours.policy) return demand;
  for (const store::ProfileUse& use : ours.policy->uses) {
    const auto [count, names] = counts(use);
    if (count == 0) continue;
    demand.count += count;
    if (demand.example.empty() && !names->empty()) demand.example = names->front();
  }
  return demand;
}

}  // namespace

Notes::Notes(Findings& findings, std::string_view check, const Instance* instance,
             const Service* service)
    : findings_(findings) {
  pattern_.check = check;
  if (instance != nullptr) pattern_.instance = instance->name;
  if (service != nullptr) pattern_.service = service->key();
}

void Notes::add(Finding::State state, std::string looked_at, std::string text,
                std::vector<std::string> fixes) {
  Finding finding = pattern_;
  finding.state = state;
  finding.looked_at = std::move(looked_at);
  finding.text = std::move(text);
  finding.fixes = std::move(fixes);
  findings_.push_back(std::move(finding));
}

void Notes::ok(std::string looked_at, std::string text) {
  add(Finding::State::Ok, std::move(looked_at), std::move(text), {});
}
void Notes::skip(std::string looked_at, std::string text) {
  add(Finding::State::Skipped, std::move(looked_at), std::move(text), {});
}
void Notes::warn(std::string looked_at, std::string text, std::vector<std::string> fixes) {
  add(Finding::State::Warning, std::move(looked_at), std::move(text), std::move(fixes));
}
void Notes::fail(std::string looked_at, std::string text, std::vector<std::string> fixes) {
  add(Finding::State::Error, std::move(looked_at), std::move(text), std::move(fixes));
}
void Notes::complain(bool is_error, std::string looked_at, std::string text,
                     std::vector<std::string> fixes) {
  add(is_error ? Finding::State::Error : Finding::State::Warning, std::move(looked_at),
      std::move(text), std::move(fixes));
}

bool is_served(const std::vector<Listen>& listeners, const Instance& instance,
               const Service& service, const tlsmap::Endpoint& endpoint) {
  return std::any_of(listeners.begin(), listeners.end(), [&](const Listen& listen) {
    switch (listen.kind) {
      case Listen::Kind::Inet:
        return is_same_inet(listen, endpoint);
      case Listen::Kind::Unix:
        return endpoint.is_unix && seen_path(instance, service, endpoint.path) == listen.path;
      case Listen::Kind::Passed:
        return true;  // whoever passes the socket knows its address; the connection will tell
    }
    return false;
  });
}

bool is_by_name(const tlsmap::Endpoint& endpoint) {
  return !endpoint.is_unix && endpoint.text.find(endpoint.host) == std::string::npos;
}

bool is_meant(const std::vector<Listen>& listeners, const tlsmap::Endpoint& endpoint) {
  return std::any_of(listeners.begin(), listeners.end(), [&](const Listen& listen) {
    return listen.kind == Listen::Kind::Unix ? endpoint.is_unix && endpoint.path == listen.path
                                             : is_same_inet(listen, endpoint);
  });
}

const Service& connecting_service(const Instance& instance, const Service& service,
                                  bool is_proxied) {
  if (!is_proxied) return service;
  const auto at = std::find_if(instance.services.begin(), instance.services.end(),
                               [](const Service& each) { return each.master.name == "proxymap"; });
  return at == instance.services.end() ? service : *at;
}

std::vector<OurTable> find_our_tables(const Config& config, const Instance& instance,
                                      const Service& service,
                                      const std::vector<tlsmap::TableSpec>& list) {
  std::vector<OurTable> found;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const tlsmap::TableSpec& spec = list[i];
    if (!spec.endpoint) continue;
    const Service& connects = connecting_service(instance, service, spec.is_proxied);
    const bool served = is_served(config.tlsmap_listen, instance, connects, *spec.endpoint);
    const bool is_ours =
        (served || is_meant(config.tlsmap_listen, *spec.endpoint)) &&
        !std::any_of(config.tlsmap_listen.begin(), config.tlsmap_listen.end(),
                     [](const Listen& listen) { return listen.kind == Listen::Kind::Passed; });
    if (!is_ours && !is_own_name(spec.map)) continue;
    found.push_back({spec, tlsmap::parse_map_name(spec.map), i, served});
  }
  return found;
}

bool runs(const Service& service, std::string_view program) {
  return service.master.program == program;
}

bool is_smtp_client(const Service& service) {
  return runs(service, "smtp");
}

std::optional<OurTable> policy_table_of(const Config& config, const Instance& instance,
                                        const Service& service) {
  const auto list = tlsmap::parse_tables(instance.value(service, "smtp_tls_policy_maps"));
  auto tables = find_our_tables(config, instance, service, list);
  if (tables.empty()) return std::nullopt;
  return std::move(tables.front());
}

BestEndpoint best_endpoint(const Config& config, const Instance& instance, const Service& service) {
  const std::string queue = fmt::format("{}/", instance.queue_directory());
  for (const Listen& listen : config.tlsmap_listen) {
    if (listen.kind == Listen::Kind::Unix && listen.path.starts_with(queue)) {
      return {"unix:" + listen.path.substr(queue.size()), {}};
    }
  }
  for (const Listen& listen : config.tlsmap_listen) {
    if (listen.kind == Listen::Kind::Inet) {
      const bool is_v6 = listen.host.find(':') != std::string::npos;
      return {fmt::format("inet:{}{}{}:{}", is_v6 ? "[" : "", listen.host, is_v6 ? "]" : "",
                          listen.port),
              {}};
    }
    if (listen.kind == Listen::Kind::Unix && !service.is_chrooted) {
      return {"unix:" + listen.path, {}};
    }
  }
  constexpr const char* kPlace = "tlspolicyd/tlsmap.sock";
  return {fmt::format("unix:{}", kPlace), queue + kPlace};
}

namespace {

// The map's name as it should be; a view stays.
std::string wanted_name(const OurTable& table, const Instance& instance) {
  const bool is_policy = table.name && (table.name->table == tlsmap::Table::Policy ||
                                        table.name->table == tlsmap::Table::Strict);
  std::string plain = table.spec.map.substr(0, table.spec.map.find('@'));
  if (!is_policy) return "policy";
  if (table.name->version.value_or(instance.version) <= instance.version) return plain;
  return fmt::format("{}-{}.{}", table.name->table == tlsmap::Table::Strict ? "strict" : "policy",
                     instance.version.major, instance.version.minor);
}

}  // namespace

WantedMaps wanted_policy_maps(const Config& config, const Instance& instance,
                              const Service& service) {
  constexpr const char* kParameter = "smtp_tls_policy_maps";
  const auto list = tlsmap::parse_tables(instance.value(service, kParameter));
  const auto tables = find_our_tables(config, instance, service, list);
  WantedMaps wanted;
  std::string name = "policy";
  if (!tables.empty()) {
    const OurTable& first = tables.front();
    const auto view = first.spec.map.find('@');
    if (view != std::string::npos) wanted.view = first.spec.map.substr(view);
    name = wanted_name(first, instance);
    // Without proxy: it is this service that connects.
    if (is_served(config.tlsmap_listen, instance, service, *first.spec.endpoint) &&
        !(service.is_chrooted && is_by_name(*first.spec.endpoint))) {
      wanted.endpoint = first.spec.endpoint->text;
    }
  }
  if (wanted.endpoint.empty()) wanted.endpoint = best_endpoint(config, instance, service).text;
  wanted.value = fmt::format("socketmap:{}:{}{}", wanted.endpoint, name, wanted.view);
  for (const auto part : tlsmap::split_list(instance.written_value(&service, kParameter))) {
    const bool is_ours = std::any_of(tables.begin(), tables.end(),
                                     [&](const OurTable& each) { return each.spec.text == part; });
    if (!is_ours) wanted.value += fmt::format(", {}", part);
  }
  return wanted;
}

bool may_go_clear(Level level, Fallback fallback) {
  switch (fallback) {
    case Fallback::Never:
    case Fallback::Bounce:
    case Fallback::Reroute:
      return !model::is_tls_required(level);
    case Fallback::AfterRetry:
    case Fallback::UnlessOffered:
    case Fallback::Native:
      break;
  }
  // These raise and lower none, may and encrypt; what proves an identity is left alone.
  return !model::is_tls_required(level) || level == Level::Encrypt;
}

bool is_mandatory(const model::Profile& profile) {
  return !may_go_clear(profile.level, profile.fallback);
}

Demand mandatory_domains(const OurSide& ours) {
  return count_uses(ours, [](const store::ProfileUse& use) {
    return std::pair{is_mandatory(use.profile) ? use.domains : 0, &use.domain_names};
  });
}

Demand mandatory_rows(const OurSide& ours) {
  return count_uses(ours, [](const store::ProfileUse& use) {
    const auto& names = use.domain_names.empty() ? use.hop_names : use.domain_names;
    return std::pair{is_mandatory(use.profile) ? use.domains + use.hops : 0, &names};
  });
}

Demand rows_at(const OurSide& ours, std::initializer_list<Level> levels) {
  return count_uses(ours, [&](const store::ProfileUse& use) {
    const bool counts = std::find(levels.begin(), levels.end(), use.profile.level) != levels.end();
    const auto& names = use.domain_names.empty() ? use.hop_names : use.domain_names;
    return std::pair{counts ? use.domains + use.hops : 0, &names};
  });
}

std::string name_rows(const Demand& demand) {
  if (demand.count <= 1) return "row " + demand.example;
  return fmt::format("row {} (and {} more)", demand.example, demand.count - 1);
}

namespace {

// `postconf -P` takes no blanks in a value. A list's blanks may all be commas, but for those in the
// text of an option in braces; nothing where there is such.
std::optional<std::string> write_without_blanks(std::string_view list) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kMarks = ",{}=";
  std::string written;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (kBlanks.find(list[i]) == kBlanks.npos) {
      if (list[i] == '{') ++depth;
      if (list[i] == '}' && depth > 0) --depth;
      written += list[i];
      continue;
    }
    const auto next = std::min(list.find_first_not_of(kBlanks, i), list.size());
    const bool is_needed = !written.empty() && next < list.size() &&
                           kMarks.find(written.back()) == kMarks.npos &&
                           kMarks.find(list[next]) == kMarks.npos;
    const bool opens = next < list.size() && list[next] == '{' && !written.empty() &&
                       kMarks.find(written.back()) == kMarks.npos;
    if (is_needed && depth > 0) return std::nullopt;
    if (is_needed || opens) written += ',';
    i = next - 1;
  }
  return written;
}

}  // namespace

std::string set_parameter(const Instance& instance, const Service* service, std::string_view name,
                          std::string_view value) {
  const bool is_override = service != nullptr && service->master.overrides.count(std::string(name));
  if (is_override) {
    if (const auto list = write_without_blanks(value)) {
      return set_override(instance, *service, name, *list);
    }
    return fmt::format("{}/master.cf: {}: -o {{ {} = {} }}", instance.directory, service->key(),
                       name, value);
  }
  const auto setting = fmt::format("{} ={}{}", name, value.empty() ? "" : " ", value);
  return fmt::format(
      "postconf {}-e {}",
      instance.needs_directory ? "-c " + base::shell_word(instance.directory) + " " : "",
      base::shell_word(setting));
}

std::string set_override(const Instance& instance, const Service& service, std::string_view name,
                         std::string_view value) {
  return fmt::format(
      "postconf {}-P {}",
      instance.needs_directory ? "-c " + base::shell_word(instance.directory) + " " : "",
      base::shell_word(
          fmt::format("{}/{} ={}{}", service.key(), name, value.empty() ? "" : " ", value)));
}

std::string add_service(const Instance& instance, std::string_view entry) {
  return fmt::format(
      "postconf {}-M {}",
      instance.needs_directory ? "-c " + base::shell_word(instance.directory) + " " : "",
      base::shell_word(entry));
}

std::string set_option(const OurSide& ours, std::string_view name, std::string_view value) {
  return fmt::format("{}: {} = {}", ours.config_file, name, value);
}

std::string set_row(const OurSide& ours, std::string_view destination, std::string_view profile,
                    std::string_view more) {
  return fmt::format("tlspolicyctl {}set {} {}{}{}",
                     ours.config_file == kDefaultConfigFile
                         ? ""
                         : fmt::format("--config {} ", base::shell_word(ours.config_file)),
                     base::shell_word(destination), profile, more.empty() ? "" : " ", more);
}

namespace {

std::string describe_value(const Instance& instance, const Service* service, std::string_view name,
                           std::string_view value) {
  const bool is_override = service != nullptr && service->master.overrides.count(std::string(name));
  const auto* where = is_override                                 ? "master.cf"
                      : instance.written.count(std::string(name)) ? "main.cf"
                                                                  : "default";
  return fmt::format("{} = {}{}({})", name, value, value.empty() ? "" : " ", where);
}

}  // namespace

std::string describe(const Instance& instance, const Service* service, std::string_view name) {
  return describe_value(instance, service, name,
                        service == nullptr ? instance.value(name) : instance.value(*service, name));
}

std::string describe_as_written(const Instance& instance, const Service& service,
                                std::string_view name) {
  const auto written = instance.written_value(&service, name);
  return describe_value(instance, &service, name,
                        written.empty() ? instance.value(service, name) : written);
}

bool is_yes(std::string_view value) {
  return base::is_equal_ignoring_case(base::trim(value), "yes");
}

}  // namespace app::doctor
