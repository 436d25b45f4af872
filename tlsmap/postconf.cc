#include "tlsmap/postconf.h"

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"

namespace tlsmap {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kListSeparators = ", \t\r\n";

// "name = value", and "name =" for nothing.
std::optional<std::pair<std::string_view, std::string_view>> parse_setting(std::string_view line) {
  const auto equals = line.find(" =");
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  const auto value = line.substr(equals + 2);
  if (!value.empty() && value.front() != ' ') return std::nullopt;
  return std::pair{line.substr(0, equals), base::trim(value)};
}

// "smtp/unix/chroot": what stands behind the last two slashes has none itself, a service's name
// may.
struct Field {
  std::string_view service;
  std::string_view type;
  std::string_view name;
};
std::optional<Field> parse_field(std::string_view text) {
  const auto last = text.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const auto first = text.rfind('/', last - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const Field field{text.substr(0, first), text.substr(first + 1, last - first - 1),
                    text.substr(last + 1)};
  return field.type.empty() || field.name.empty() ? std::nullopt : std::optional(field);
}

template <class Take>
void walk_fields(std::string_view output, Take take) {
  for (const auto line : base::split(output, "\r\n")) {
    const auto setting = parse_setting(line);
    const auto field = setting ? parse_field(setting->first) : std::nullopt;
    if (field) take(*field, setting->second);
  }
}

std::vector<std::string_view> split_outside_braces(std::string_view list,
                                                   std::string_view separators) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = std::string_view::npos;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool separates = depth == 0 && separators.find(list[i]) != std::string_view::npos;
    if (separates && start != std::string_view::npos) {
      parts.push_back(list.substr(start, i - start));
      start = std::string_view::npos;
    }
    if (!separates && start == std::string_view::npos) start = i;
    if (list[i] == '{') ++depth;
    if (list[i] == '}' && depth > 0) --depth;
  }
  if (start != std::string_view::npos) parts.push_back(list.substr(start));
  return parts;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// util/host_port.c: a host in brackets may have the prefix "ipv6:"; a missing one is localhost.
std::string plain_host(std::string_view host) {
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  constexpr std::string_view kIpv6 = "ipv6:";
  if (base::is_equal_ignoring_case(host.substr(0, kIpv6.size()), kIpv6)) {
    host.remove_prefix(kIpv6.size());
  }
  if (host.empty() || base::is_equal_ignoring_case(host, "localhost")) return "127.0.0.1";
  return std::string(host);
}

}  // namespace

Parameters parse_parameters(std::string_view output) {
  Parameters found;
  for (const auto line : base::split(output, "\r\n")) {
    const auto setting = parse_setting(line);
    if (!setting || setting->first.find_first_of(kBlanks) != std::string_view::npos) continue;
    found.insert_or_assign(std::string(setting->first), std::string(setting->second));
  }
  return found;
}

std::vector<MasterService> parse_master(std::string_view fields, std::string_view overrides) {
  std::vector<MasterService> services;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  const auto place_of = [&](const Field& field) {
    return places.find({std::string(field.service), std::string(field.type)});
  };
  walk_fields(fields, [&](const Field& field, std::string_view value) {
    auto at = place_of(field);
    if (at == places.end()) {
      if (services.size() == kMostServices) return;
      at = places.emplace(std::pair{field.service, field.type}, services.size()).first;
      services.push_back({std::string(field.service), std::string(field.type), "-", {}, {}});
    }
    MasterService& service = services[at->second];
    if (field.name == "chroot") service.chroot = value;
    if (field.name == "command") service.program = value.substr(0, value.find_first_of(kBlanks));
  });
  walk_fields(overrides, [&](const Field& field, std::string_view value) {
    const auto at = place_of(field);
    if (at == places.end()) return;
    services[at->second].overrides.insert_or_assign(std::string(field.name), std::string(value));
  });
  return services;
}

std::vector<ListedInstance> parse_instances(std::string_view output) {
  std::vector<ListedInstance> instances;
  for (const auto line : base::split(output, "\r\n")) {
    const auto words = base::split(line, " \t");
    if (words.size() < 4 || words[2] != "y" || !words[3].starts_with('/')) continue;
    // A directory may hold blanks; it is the rest of the line.
    const auto directory = line.substr(static_cast<std::size_t>(words[3].data() - line.data()));
    instances.push_back({std::string(words[0]), std::string(base::trim(directory))});
  }
  return instances;
}

std::optional<model::PostfixVersion> parse_mail_version(std::string_view text) {
  return model::parse_postfix_version(text.substr(0, text.find_first_not_of("0123456789.")));
}

std::vector<std::string_view> split_list(std::string_view list) {
  return split_outside_braces(list, kListSeparators);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  endpoint.text = text;
  if (take_prefix(text, "unix:") || take_prefix(text, "local:")) {
    if (text.empty()) return std::nullopt;
    endpoint.is_unix = true;
    endpoint.path = text;
    return endpoint;
  }
  if (!take_prefix(text, "inet:")) return std::nullopt;
  const auto colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (port.empty() || port.find(']') != std::string_view::npos) return std::nullopt;
  endpoint.port = port;
  endpoint.host =
      plain_host(colon == std::string_view::npos ? std::string_view() : text.substr(0, colon));
  return endpoint;
}

std::vector<TableSpec> parse_tables(std::string_view list) {
  std::vector<TableSpec> tables;
  for (const auto part : split_list(list)) {
    TableSpec table;
    table.text = part;
    auto rest = part;
    for (bool is_wrapped = true; is_wrapped;) {
      const bool is_proxy = take_prefix(rest, "proxy:");
      table.is_proxied = table.is_proxied || is_proxy;
      is_wrapped = is_proxy || take_prefix(rest, "debug:");
    }
    const auto colon = rest.find(':');
    table.type = rest.substr(0, colon);
    const auto last = rest.rfind(':');
    if (table.type == "socketmap" && last > colon) {
      table.endpoint = parse_endpoint(rest.substr(colon + 1, last - colon - 1));
      if (table.endpoint) table.map = rest.substr(last + 1);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

Route parse_route(std::string_view text) {
  Route route;
  text = base::trim(text);
  const auto colon = text.find(':');
  route.transport = base::trim(text.substr(0, colon));
  if (colon == std::string_view::npos) return route;
  for (const auto hop : base::split(text.substr(colon + 1), kListSeparators)) {
    route.hops.emplace_back(hop);
  }
  return route;
}

std::vector<Endpoint> find_policy_services(std::string_view restrictions) {
  std::vector<Endpoint> found;
  bool is_next = false;
  for (auto part : split_list(restrictions)) {
    if (!std::exchange(is_next, false)) {
      is_next = base::is_equal_ignoring_case(part, "check_policy_service");
      continue;
    }
    if (part.front() == '{') {
      part.remove_prefix(1);
      if (part.ends_with('}')) part.remove_suffix(1);
      const auto inner = split_list(part);
      part = inner.empty() ? std::string_view() : inner.front();
    }
    if (auto endpoint = parse_endpoint(part)) found.push_back(std::move(*endpoint));
  }
  return found;
}

bool logs_tls_sessions(std::string_view smtp_tls_loglevel) {
  // Of the names those that TLS_LOG_SUMMARY is part of; the other flags add lines of their own.
  constexpr std::array<std::string_view, 5> kWithSummary{"summary", "routine", "debug",
                                                         "ssl-expert", "ssl-developer"};
  const auto words = base::split(smtp_tls_loglevel, kListSeparators);
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    if (word.size() == 1) return word.front() >= '1' && word.front() <= '9';
    return std::any_of(kWithSummary.begin(), kWithSummary.end(), [&](std::string_view name) {
      return base::is_equal_ignoring_case(word, name);
    });
  });
}

std::vector<std::string> parse_nameservers(std::string_view resolv_conf) {
  std::vector<std::string> servers;
  for (const auto line : base::split(resolv_conf, "\r\n")) {
    const auto words = base::split(line, " \t");
    if (words.size() > 1 && words[0] == "nameserver") servers.emplace_back(words[1]);
  }
  return servers;
}

}  // namespace tlsmap
